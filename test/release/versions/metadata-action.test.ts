import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, test } from 'node:test';
import { ReleaseError } from '../../../src/release/errors.ts';
import { tagsFor } from '../../../src/release/versions/tags.ts';
import { parseVersion } from '../../../src/release/versions/version.ts';

const DOCUMENT = resolve(import.meta.dirname, '../../../docs/RELEASING.md');
const HEADING = '## Against docker/metadata-action';

const RANGES = 'ranges always go along';
const CHANNEL = 'other names are channels';
const AFFIX = 'a variant is another repository';
const PRE = 'a pre-release gets no stable tag';
const STRICT = 'not semver';
const WHOLE = 'nothing is cut out of a git tag';
const LABEL = 'commit, branch and date are labels';

/** A case of its tests, named as they are there, and why what is given here differs by more than the `v`. */
interface Case {
  readonly kind: string;
  readonly names: string;
  /** The git tag, or the value in its place. */
  readonly input: string;
  readonly rules: string;
  readonly theirs: readonly string[];
  readonly why?: string;
}

/** Of commit dc80280 (v6): every case of a git tag, and every one with a semver rule. */
const CASES: readonly Case[] = [
  ...group('major, minor, patch', [
    ['tag11', 'v1.1.1', 'version, major.minor, major', '1.1.1 1.1 1 latest'],
    [
      'tag28, tag33',
      'v1.1.1',
      'PEP 440: version, major.minor.patch, major.minor, major',
      '1.1.1 1.1 1 latest',
    ],
    [
      'push14',
      'v1.2.3',
      'version, as a value on a branch; edge',
      '1.2.3 edge latest',
      `${RANGES}; ${CHANNEL}`,
    ],
    ['tag05, tag06, latest04', 'v1.1.1', 'match `\\d.\\d.\\d`', '1.1.1 latest', RANGES],
    ['latest05, release01, json07, bakeFile07', 'v1.1.1', 'none', 'v1.1.1 latest', RANGES],
    ['latest07, latest08, latest09', 'v1.1.1', 'git tag, `latest=false`', 'v1.1.1', RANGES],
  ]),
  ...group('de-duplication', [
    ['tag12', 'v1.1.1', 'version, major.minor.patch', '1.1.1 latest', RANGES],
    ['tag23', 'v1.1.1', 'PEP 440: raw, major.minor', 'v1.1.1 1.1 latest', RANGES],
  ]),
  ...group('pre-release', [
    ['tag13', 'v2.0.8-beta.67', 'major.minor, major', '2.0.8-beta.67'],
    ['tag31', 'v2.0.8-beta.67', 'raw', 'v2.0.8-beta.67'],
    ['tag07', 'v2.0.8-beta.67', 'match all of it', '2.0.8-beta.67 latest', PRE],
    ['tag08', 'v2.0.8-beta.67', 'match `\\d.\\d`', '2.0 latest', PRE],
    ['tag09', 'v2.0.8-beta.67', 'match 2.0.8, and 67', '2.0.8 67 latest', PRE],
    ['latest06, latest10', 'v2.0.8-beta.67', 'match `\\d.\\d.\\d`', '2.0.8 latest', PRE],
    ['tag15', 'v2.0.8-beta.67', 'foo; version; match `\\d.\\d`', 'foo 2.0.8-beta.67 2.0', PRE],
  ]),
  ...group('raw', [
    [
      'raw05, json05, bakeFile05',
      'v1.1.1',
      'version, major.minor, major; my, custom, tags',
      '1.1.1 1.1 1 my custom tags latest',
      CHANNEL,
    ],
    ['raw06, json06, bakeFile06', 'v1.1.1', 'my, custom, tags', 'my custom tags', `${RANGES}; ${CHANNEL}`],
    ['tag16', 'v1.1.1', 'foo; git tag', 'foo v1.1.1', `${RANGES}; ${CHANNEL}`],
    ['tag20', 'v1.1.1', 'git tag, commit, foo; branch, foo', 'v1.1.1-860c190-foo master-foo', LABEL],
    ['release02', 'v1.1.1', 'git tag; branch', 'v1.1.1 baseref- latest', LABEL],
    ['release03', 'v1.1.1', 'date of the commit; date', 'src-20200110-003000 20200110-003000', LABEL],
  ]),
  ...group('prefix', [
    ['tag22', 'v1.1.1', 'version; `prefix=foo-`, `suffix=-dev`', 'foo-1.1.1-dev foo-latest-dev', AFFIX],
    ['tag34', 'p1/v1.0.0', 'version, match `v(\\d.\\d.\\d)$`', '1.0.0 latest', WHOLE],
    [
      'push35',
      'p1/v1.2.3',
      'version, match `v(\\d.\\d.\\d)$`, as a value on a branch; edge',
      '1.2.3 edge latest',
      WHOLE,
    ],
    [
      'tag17, tag18',
      'p1/v1.0.0',
      'match `\\d.\\d.\\d`, `\\d.\\d`; commit',
      '1.0.0 1.0 sha-860c190 latest',
      WHOLE,
    ],
  ]),
  ...group('suffix', [
    ['tag21', 'v1.1.1', 'version; `suffix=-dev`', '1.1.1-dev latest-dev', AFFIX],
    [
      'tag19',
      'p1/v1.0.0',
      'match `\\d.\\d.\\d`, `\\d.\\d`; commit; `suffix=-dev`',
      '1.0.0-dev 1.0 sha-860c190-dev latest',
      WHOLE,
    ],
  ]),
  ...group('invalid', [
    ['push12', 'my/feature#1245', 'version, of a branch; edge', ''],
    ['tag10', 'sometag', 'match `\\d.\\d`', ''],
    ['tag14, tag30', 'sometag', 'git tag; version, major.minor, major', 'sometag', STRICT],
    ['tag32', 'v1.2.3rc2', 'PEP 440: raw, major.minor', 'v1.2.3rc2 1.2.3rc2', STRICT],
    ['tag27', '1.2.3rc2', 'PEP 440: raw, version, major.minor, major', '1.2.3rc2', STRICT],
  ]),
  ...group('non-semver', [
    ['tag01, latest01', 'release1', 'none; match all of it', 'release1 latest', STRICT],
    [
      'raw03, json03, bakeFile03',
      'release1',
      'git tag; my, custom, tags',
      'release1 my custom tags latest',
      STRICT,
    ],
    ['tag02, latest02', '20200110-RC2', 'none; match all of it', '20200110-RC2 latest', STRICT],
    ['latest03', '20200110-RC2', 'match `\\d{8}`', '20200110 latest', STRICT],
    ['tag03, tag04', '20200110-RC2', 'match `\\d{8}`, `latest=false`', '20200110', STRICT],
    [
      'raw04, json04, bakeFile04',
      '20200110-RC2',
      'match `\\d{8}`; my, custom, tags; `latest=false`',
      '20200110 my custom tags',
      STRICT,
    ],
    ['tag24', '1.2', 'PEP 440: version, major.minor', '1.2 latest', STRICT],
    ['tag25', '1.1beta2', 'PEP 440: major.minor, major', '1.1b2', STRICT],
    ['tag26', '1.0dev4', 'PEP 440: major.minor, major', '1.0.dev4', STRICT],
    ['tag29', '1.2post1', 'PEP 440: version, major.minor, major', '1.2.post1', STRICT],
  ]),
];

type Row = readonly [names: string, input: string, rules: string, theirs: string, why?: string];

function group(kind: string, rows: readonly Row[]): Case[] {
  return rows.map(([names, input, rules, theirs, why]) => {
    const row = { kind, names, input, rules, theirs: theirs.split(' ').filter((tag) => tag !== '') };
    return why === undefined ? row : { ...row, why };
  });
}

/** What `thoth-release tags INPUT` gives where nothing was released before, as theirs are told of no release. */
function oursOf({ input }: Case): string[] | ReleaseError {
  try {
    return tagsFor(parseVersion(input), []);
  } catch (error) {
    if (error instanceof ReleaseError) return error;
    throw error;
  }
}

/** How what is given here compares; `undefined` where only a reason can tell. */
function sameness(one: Case): string | undefined {
  const ours = oursOf(one);
  if (ours instanceof ReleaseError) return one.theirs.length === 0 ? 'they only warn' : undefined;
  const list = ours.join(' ');
  if (one.theirs.join(' ') === list) return 'equal';
  return one.theirs.map((tag) => tag.replace(/^(?=\d)/, 'v')).join(' ') === list
    ? 'equal, the `v` kept'
    : undefined;
}

function rowOf(one: Case): string {
  const ours = oursOf(one);
  const code = (tags: readonly string[]) => tags.map((tag) => `\`${tag}\``).join(' ');
  const given =
    ours instanceof ReleaseError ? (ours.code === 'VERSION_INVALID' ? 'refused' : ours.code) : code(ours);
  const cells = [
    one.kind,
    one.names,
    `\`${one.input}\`: ${one.rules}`,
    code(one.theirs) || 'nothing',
    given,
    sameness(one) ?? one.why ?? '',
  ];
  return `| ${cells.join(' | ')} |`;
}

describe('against docker/metadata-action', () => {
  test('every one of its 64 cases is there, once', () => {
    const names = CASES.flatMap((one) => one.names.split(', '));
    assert.equal(names.length, 64);
    assert.deepEqual([...new Set(names)], names);
  });

  for (const one of CASES) {
    test(`${one.names}: what differs has its reason, and what is equal needs none`, () => {
      assert.equal(one.why === undefined, sameness(one) !== undefined);
    });
  }

  test('the table in docs/RELEASING.md is this one (UPDATE_GOLDEN=1 writes it)', () => {
    const text = readFileSync(DOCUMENT, 'utf8');
    const from = text.indexOf(HEADING);
    assert.ok(from >= 0, `no section "${HEADING}"`);
    const next = text.indexOf('\n## ', from + 1);
    const section = text.slice(from, next < 0 ? undefined : next);
    const table = [
      '| About | Their case | Git tag: their rules | They give | `thoth-release tags` gives | Equal, or why not |',
      '|---|---|---|---|---|---|',
      ...CASES.map(rowOf),
    ].join('\n');
    const written = /^\|.*$(?:\n\|.*$)*/m;
    if (process.env.UPDATE_GOLDEN === '1') {
      writeFileSync(
        DOCUMENT,
        text.replace(section, () => section.replace(written, () => table)),
      );
      return;
    }
    assert.equal(written.exec(section)?.[0], table);
  });
});
