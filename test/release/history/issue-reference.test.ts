import assert from 'node:assert/strict';
import { test } from 'node:test';
import { issueReferences, labelOf } from '../../../src/release/history/issue-reference.ts';

/** A message, what it closes, and what else it names. */
const messages: readonly (readonly [string, readonly string[], readonly string[]])[] = [
  ['feat: nothing', [], []],
  ['feat: a thing (#12)', [], ['#12']],
  ['fix: a thing, closes #1', ['#1'], []],
  ['fix: a thing\n\nFixes #1, #2 and #3', ['#1', '#2', '#3'], []],
  ['fix: a thing\n\nResolved: #1', ['#1'], []],
  ['fix: a thing\n\ncloses ada/app#1, #2', ['ada/app#1', '#2'], []],
  ['fix: a thing\n\nIt closes the file of #1', [], []],
  ['fix: a thing\n\nThis fixes #1 but not #2', ['#1'], []],
  ['fix: a thing\n\nRefs: #1, ada/app#2', [], ['#1', 'ada/app#2']],
  ['fix: a thing\n\nRefs #1', [], ['#1']],
  ['fix: a thing\n\nAs told in #1', [], []],
  ['fix: a thing (#1)\n\nCloses #1', ['#1'], []],
  ['fix: a thing\n\nCloses #1\nRefs: #1', ['#1'], []],
  ['fix: colour #fff, c#5, ../x#6, #7a and #', [], []],
  ['fix: x/#8', [], []],
  ['fix: closest #9, prefix #10', [], ['#9', '#10']],
];

for (const [message, closed, named] of messages) {
  test(`issues of ${JSON.stringify(message)}`, () => {
    const found = issueReferences(message);
    assert.deepEqual(found.filter((reference) => reference.closes).map(labelOf), closed);
    assert.deepEqual(found.filter((reference) => !reference.closes).map(labelOf), named);
  });
}
