import assert from 'node:assert/strict';
import { test } from 'node:test';
import { codeCell, escapeItem, escapeLine } from '../../../src/release/history/markdown.ts';

const lines: readonly (readonly [string, string])[] = [
  [
    'plain text, with: punctuation; (and more) - really?',
    'plain text, with: punctuation; (and more) - really?',
  ],
  ['a < b, x > y, AT&T, c#1', 'a \\< b, x > y, AT&T, c#1'],
  ['<script>alert(1)</script>', '\\<script>alert(1)\\</script>'],
  ['<!-- a comment', '\\<!-- a comment'],
  ['&lt;b&gt; &#60;', '\\&lt;b\\&gt; \\&#60;'],
  ['`<b>` stays code', '`<b>` stays code'],
  ['``a ` <b>`` too', '``a ` <b>`` too'],
  ['`<b> is not closed', '\\`\\<b> is not closed'],
  ['\\`<b>` is code, the backslash text', '\\\\`<b>` is code, the backslash text'],
  ['``<b>` is not closed', '\\`\\`\\<b>\\` is not closed'],
  ['*a* **b** ~~c~~', '\\*a\\* \\*\\*b\\*\\* \\~\\~c\\~\\~'],
  ['snake_case __init__ _x_', 'snake_case \\_\\_init\\_\\_ \\_x\\_'],
  ['[a](javascript:b) ![c](http://d)', '\\[a](javascript:b) !\\[c](http://d)'],
  ['# heading', '\\# heading'],
  ['#12 is an issue', '#12 is an issue'],
  ['> quote', '\\> quote'],
  ['- item', '\\- item'],
  ['+ item', '\\+ item'],
  ['1. item', '1\\. item'],
  ['1.5 times', '1.5 times'],
  ['---', '\\---'],
  ['--- -', '\\--- -'],
  ['two__ __words one__two', 'two\\_\\_ \\_\\_words one__two'],
  ['two\nlines', 'two lines'],
  ['bell\u0007 escape\u001b[31m', 'bell escape\\[31m'],
  ['left \u202eto right\u2028', 'left to right'],
  ['Ünïcode 🎉 👩‍💻', 'Ünïcode 🎉 👩‍💻'],
];

for (const [text, expected] of lines) {
  test(`a line: ${JSON.stringify(text)}`, () => assert.equal(escapeLine(text), expected));
}

const items: readonly (readonly [string, string, string])[] = [
  ['later lines are set in', 'one\ntwo\n\nthree', 'one\n  two\n\n  three'],
  ['lists stay lists', 'one\n* two\n  1. three', 'one\n  - two\n    1. three'],
  ['a mark in a list item is text', '- # one\n- - two', '- \\# one\n  - \\- two'],
  ['no heading', '## one\ntwo\n===\nthree\n-', '\\## one\n  two\n  \\===\n  three\n  \\-'],
  ['no fence', '```js\n<b>\n```', '\\`\\`\\`js\n  \\<b>\n  \\`\\`\\`'],
  ['code ends with its line', '`one\n<b>`', '\\`one\n  \\<b>\\`'],
  ['line ends of Windows', 'one\r\ntwo\r\n', 'one\n  two'],
];

for (const [name, text, expected] of items) {
  test(`an item: ${name}`, () => assert.equal(escapeItem(text), expected));
}

test('a cell holds one line of code, at most so long, and does not end the cell', () => {
  assert.equal(codeCell('COPY a b', 20), '`COPY a b`');
  assert.equal(codeCell('RUN `a` | b\n  && c', 20), "`RUN 'a' \\| b && c`");
  assert.equal(codeCell('🎉🎉🎉🎉', 3), '`🎉🎉…`');
});
