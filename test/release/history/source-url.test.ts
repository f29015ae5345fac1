import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sourceUrl } from '../../../src/release/history/source-url.ts';

const APP = 'https://example.test/ada/app';
const SECRET = 's3cret';

const addresses: readonly (readonly [string, string | undefined])[] = [
  ['https://example.test/ada/app', APP],
  ['https://example.test/ada/app.git', APP],
  ['https://example.test/ada/app/', APP],
  ['http://example.test:8080/ada/app.git', 'https://example.test:8080/ada/app'],
  ['git+https://example.test/ada/app.git', APP],
  ['git+ssh://git@example.test/ada/app.git', APP],
  ['ssh://git@example.test:2222/ada/app.git', APP],
  ['git://example.test/ada/app.git', APP],
  ['git@example.test:ada/app.git', APP],
  ['example.test:ada/app', APP],
  ['git@example.test:group/sub/app.git', 'https://example.test/group/sub/app'],
  [`https://ada:${SECRET}@example.test/ada/app.git`, APP],
  [`https://${SECRET}@example.test/ada/app.git`, APP],
  ['https://example.test/ada/app?x=1#y', APP],
  ['/srv/git/app.git', undefined],
  ['../app', undefined],
  ['file:///srv/git/app.git', undefined],
  ['work:ada/app', undefined],
  ['C:/work/ada/app', undefined],
  ['https://example.test/app', undefined],
  ['https://example.test/ada/app)(x', undefined],
  ['javascript://example.test/ada/app', undefined],
  ['https://', undefined],
  ['', undefined],
];

for (const [address, expected] of addresses) {
  test(`origin "${address.replace(SECRET, '***')}" is ${expected}`, () => {
    assert.equal(sourceUrl(undefined, address), expected);
  });
}

const packages: readonly (readonly [string, string | undefined])[] = [
  ['{"repository": {"type": "git", "url": "git+https://example.test/ada/app.git"}}', APP],
  ['{"repository": "https://example.test/ada/app"}', APP],
  ['{"repository": "ada/app"}', 'https://github.com/ada/app'],
  ['{"repository": "github:ada/app"}', 'https://github.com/ada/app'],
  ['{"repository": "gitlab:ada/app"}', 'https://origin.test/x/y'],
  ['{"repository": {"url": "file:///srv/app"}}', 'https://origin.test/x/y'],
  ['{"repository": {}}', 'https://origin.test/x/y'],
  ['{}', 'https://origin.test/x/y'],
  ['not JSON', 'https://origin.test/x/y'],
];

for (const [text, expected] of packages) {
  test(`package.json ${text} over origin is ${expected}`, () => {
    assert.equal(sourceUrl(text, 'git@origin.test:x/y.git'), expected);
  });
}
