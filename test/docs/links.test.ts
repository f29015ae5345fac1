import assert from 'node:assert/strict';
import { test } from 'node:test';
import { projectDocuments, projectFiles, readDocument } from './document.ts';
import { linkFaults } from './link.ts';

const files = projectFiles();
const documents = projectDocuments(files);

test('every document was found', () => {
  for (const path of ['README.md', 'SECURITY.md', 'docs/RELEASING.md']) assert.ok(documents.has(path), path);
});

for (const path of documents.keys()) {
  test(`links of ${path}`, () => assert.deepEqual(linkFaults(path, files, documents), []));
}

const CASES: readonly (readonly [markdown: string, fault: string | undefined])[] = [
  ['[a](b.md)', undefined],
  ['[a](b.md#two-words)', undefined],
  ['[a](b.md#two-words-1)', undefined],
  ['[a](b.md#v10-is-out)', undefined],
  ['[a](#here)', undefined],
  ['[a](../src/)', undefined],
  ['![a](../src/a.ts)', undefined],
  ['[a](https://example.com/x#y)', undefined],
  ['[a](mailto:a@example.com)', undefined],
  ['[a][1]\n\n[1]: b.md', undefined],
  ['`[a](c.md)`', undefined],
  ['```\n[a](c.md)\n```', undefined],
  ['[a](https://github.com/marcopancotti/thoth/blob/main/src/a.ts)', undefined],
  ['[a](c.md)', 'there is no docs/c.md'],
  ['[a][1]\n\n[1]: c.md', 'there is no docs/c.md'],
  ['![a](a.png)', 'there is no docs/a.png'],
  ['[a](B.md)', 'there is no docs/B.md'],
  ['[a](b.md#two)', 'docs/b.md has no such heading'],
  ['[a](#there)', 'docs/a.md has no such heading'],
  ['[a](../src/a.ts#L1)', 'src/a.ts has no such heading'],
  ['[a](https://github.com/marcopancotti/thoth/blob/main/src/b.ts)', 'there is no src/b.ts'],
  ['[a](https://raw.githubusercontent.com/marcopancotti/thoth/main/b.sh)', 'there is no b.sh'],
];

for (const [markdown, fault] of CASES) {
  test(`a link: ${JSON.stringify(markdown)}`, () => {
    const pages = new Map([
      ['docs/a.md', readDocument(`${markdown}\n\n# Here\n`)],
      ['docs/b.md', readDocument('# Two words\n\n## Two `words`\n\n## v1.0 is *out*\n')],
    ]);
    const found = linkFaults('docs/a.md', ['docs/a.md', 'docs/b.md', 'src/a.ts'], pages);
    assert.deepEqual(
      found.map((line) => line.replace(/^.*: /, '')),
      fault === undefined ? [] : [fault],
    );
  });
}
