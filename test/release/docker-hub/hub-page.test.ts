import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { parse } from 'yaml';
import { z } from 'zod';
import { LIMITS, renderPage, taggedImages } from '../../../src/release/docker-hub/hub-page.ts';
import { SETTING_NAMES } from '../../../src/server/settings/schema.ts';
import { failure } from '../machine/failure.ts';

const PROJECT = join(import.meta.dirname, '../../..');
const TEMPLATE = readFileSync(join(PROJECT, 'docs/DOCKERHUB.md'), 'utf8');
const NAME = 'marcopancotti/thoth';
const digest = (letter: string) => `sha256:${letter.repeat(64)}`;

const TAGS = new Map([
  ['v1.0.0', digest('a')],
  ['v1.0', digest('a')],
  ['v1.1.0', digest('b')],
  ['latest', digest('c')],
  ['v1', digest('b')],
  ['v1.1', digest('b')],
  ['v2.0.0', digest('c')],
  ['v2', digest('c')],
  ['v2.0', digest('c')],
  ['v1.0.1-rc.1', digest('d')],
  ['v2.1.0-rc.1', digest('e')],
  ['next', digest('e')],
  ['sha256-abc.sig', digest('f')],
]);

describe('the tag list', () => {
  test('has an image that a moving tag points to in each row, newest first, latest last in its row', () => {
    assert.deepEqual(
      taggedImages(TAGS).map(({ tags }) => tags),
      [
        ['v2.1.0-rc.1', 'next'],
        ['v2.0.0', 'v2.0', 'v2', 'latest'],
        ['v1.1.0', 'v1.1', 'v1'],
        ['v1.0.0', 'v1.0'],
      ],
    );
  });

  test('pulls what latest is, by tag and by digest', () => {
    const { full } = renderPage(TEMPLATE, 'Short.', NAME, TAGS);
    assert.ok(full.includes(`docker pull ${NAME}:v2.0.0\ndocker pull ${NAME}@${digest('c')}\n`));
    assert.ok(full.includes(`| \`v1.1.0\`, \`v1.1\`, \`v1\` | \`${digest('b')}\` |`));
  });

  test('is the same for the same tags in any order', () => {
    const turned = new Map([...TAGS].reverse());
    assert.deepEqual(renderPage(TEMPLATE, 's', NAME, turned), renderPage(TEMPLATE, 's', NAME, TAGS));
  });

  test('says so where nothing was released', () => {
    assert.match(renderPage(TEMPLATE, 's', NAME, new Map()).full, /No version was released yet/);
  });
});

describe('the limits of Docker Hub', () => {
  const page = (text: string) => `<!-- tags -->\n<!-- end -->\n${text}`;
  const fixed = Buffer.byteLength(renderPage(page('x'), 's', NAME, TAGS).full) - 1;

  test('are in bytes for the page and in characters for the description', () => {
    const longest = 'é'.repeat(Math.floor((LIMITS.full - fixed) / 2));
    assert.ok(
      Buffer.byteLength(renderPage(page(longest), '𝒯'.repeat(LIMITS.short), NAME, TAGS).full) <= LIMITS.full,
    );
  });

  const WRONG: readonly (readonly [string, string, string, RegExp])[] = [
    ['a page that is too long', page('é'.repeat(12_500)), 's', /bytes of 25000/],
    ['a description that is too long', page(''), 'x'.repeat(101), /101 characters of 100/],
    ['no description', page(''), ' ', /is empty/],
    ['no place for the tags', '# Thoth', 's', /no place for the tags/],
  ];
  for (const [name, template, short, message] of WRONG) {
    test(`${name} is refused`, async () => {
      const error = await failure(() => renderPage(template, short, NAME, TAGS));
      assert.equal(error.code, 'HUB_PAGE');
      assert.match([error.message, ...error.details].join('\n'), message);
    });
  }
});

describe('docs/DOCKERHUB.md', () => {
  const { full } = renderPage(TEMPLATE, 'Short.', NAME, TAGS);
  const blocks = [...full.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].map(([, language, text]) => ({
    language,
    text,
  }));
  const description = z.object({ description: z.string() });

  test('fits with room for twenty rows of tags, and so does the description of package.json', () => {
    const many = new Map(
      Array.from({ length: 40 }, (_, n) => [
        [`v1.${n}.0`, digest('a').replace('a', String(n % 10))],
        [`v1.${n}`, digest('a').replace('a', String(n % 10))],
      ]).flat() as [string, string][],
    );
    const { description: short } = description.parse(
      JSON.parse(readFileSync(join(PROJECT, 'package.json'), 'utf8')),
    );
    renderPage(TEMPLATE, short, NAME, many);
  });

  test('shows no comment and no link that Docker Hub can not follow', () => {
    assert.doesNotMatch(full, /<!--/);
    for (const [, link] of full.matchAll(/\]\(([^)]+)\)/g)) assert.match(link ?? '', /^(?:https:\/\/|#)/);
  });

  test('names no setting that there is not', () => {
    const named = [...full.matchAll(/\b[A-Z]+(?:_[A-Z]+)+\b/g)].map(([name]) => name);
    const known: readonly string[] = SETTING_NAMES;
    assert.deepEqual(
      named.filter((name) => !known.includes(name) && !known.includes(name.replace(/_FILE$/, ''))),
      [],
    );
  });

  test('has a compose file whose every line is in docker-compose.yml, with the major tag', () => {
    const [page] = blocks.filter((block) => block.language === 'yaml');
    const shown = parse(page?.text ?? '');
    // As compose reads it where nothing is set.
    const file = readFileSync(join(PROJECT, 'docker-compose.yml'), 'utf8').replace(
      /\$\{\w+:-([^}]*)\}/g,
      '$1',
    );
    const whole = parse(file);
    const { image, ...settings } = shown.services.thoth;
    assert.equal(image, whole.services.thoth.image.replace(':latest', ':v1'));
    for (const [name, value] of Object.entries(settings)) {
      assert.deepEqual(value, whole.services.thoth[name], name);
    }
    for (const kind of ['networks', 'volumes']) {
      for (const name of Object.keys(shown[kind])) assert.ok(name in whole[kind], name);
    }
  });
});
