import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { createProgress, type ProgressStyle, progressStyle } from '../../../src/release/machine/progress.ts';

const styles: readonly (readonly [
  string,
  boolean,
  Record<string, string>,
  boolean | undefined,
  ProgressStyle,
])[] = [
  ['a terminal', false, {}, true, 'terminal'],
  ['a terminal, CI empty', false, { CI: '' }, true, 'terminal'],
  ['a terminal, CI false', false, { CI: 'false' }, true, 'terminal'],
  ['a terminal without colours', false, { NO_COLOR: '1' }, true, 'terminal'],
  ['a terminal in CI', false, { CI: 'true' }, true, 'plain'],
  ['a terminal in CI, said by a number', false, { CI: '1' }, true, 'plain'],
  ['a dumb terminal', false, { TERM: 'dumb' }, true, 'plain'],
  ['a pipe', false, {}, undefined, 'plain'],
  ['--json on a terminal', true, {}, true, 'json'],
  ['--json in CI', true, { CI: 'true' }, undefined, 'json'],
];
for (const [name, json, env, isTTY, expected] of styles) {
  test(`the style: ${name}`, () => {
    assert.equal(progressStyle(json, env, isTTY === undefined ? {} : { isTTY }), expected);
  });
}

/** What is written, seconds replaced, since they differ. */
async function told(style: ProgressStyle, env: Record<string, string> = {}, columns?: number) {
  let text = '';
  const write = (chunk: string) => {
    text += chunk;
  };
  const progress = createProgress(style, env, columns === undefined ? { write } : { write, columns });
  const result = await progress.stage('build', async (say) => {
    say('step 1\r\n\u001b[31mof\u001b[0m 2');
    progress.warn('careful');
    return 7;
  });
  assert.equal(result, 7);
  const cause = new Error('no');
  const thrown = await progress.stage('scan', () => Promise.reject(cause)).catch((error: unknown) => error);
  assert.equal(thrown, cause);
  assert.deepEqual([...progress.seconds.keys()], ['build', 'scan']);
  for (const seconds of progress.seconds.values()) assert.ok(seconds >= 0);
  return text.replaceAll(/\d+(\.\d)? s\b/g, 'N s').replaceAll(/"seconds":\d+(\.\d)?/g, '"seconds":0');
}

test('plain: a line a stage, and warnings', async () => {
  assert.equal(await told('plain'), 'warning careful\ndone build N s\nfailed scan N s\n');
});

test('json: an object a line', async () => {
  const lines = (await told('json')).trimEnd().split('\n');
  assert.deepEqual(
    lines.map((line) => JSON.parse(line)),
    [
      { event: 'start', stage: 'build' },
      { event: 'progress', stage: 'build', detail: 'step 1\r\n\u001b[31mof\u001b[0m 2' },
      { event: 'warning', text: 'careful' },
      { event: 'done', stage: 'build', seconds: 0 },
      { event: 'start', stage: 'scan' },
      { event: 'failed', stage: 'scan', seconds: 0 },
    ],
  );
});

const CLEAR = '\r\u001b[2K';

test('terminal: one live row, then a line a stage', async () => {
  assert.deepEqual((await told('terminal', { NO_COLOR: '1' })).split(CLEAR), [
    '',
    '... build',
    '... build (N s): step 1 of 2',
    'warning careful\n',
    'done build N s\n',
    '... scan',
    'failed scan N s\n',
  ]);
});

test('terminal: colours, unless NO_COLOR says something', async () => {
  const coloured = await told('terminal');
  assert.ok(coloured.includes('\u001b[32mdone\u001b[0m build'));
  assert.ok(coloured.includes('\u001b[31mfailed\u001b[0m scan'));
  assert.equal(await told('terminal', { NO_COLOR: '' }), coloured);
  assert.equal(
    stripVTControlCharacters(coloured),
    stripVTControlCharacters(await told('terminal', { NO_COLOR: '1' })),
  );
  for (const style of ['plain', 'json'] as const) assert.ok(!(await told(style)).includes('\u001b[3'), style);
});

for (const env of [{}, { NO_COLOR: '1' }]) {
  test(`terminal: the live row never wraps (${JSON.stringify(env)})`, async () => {
    let text = '';
    const write = (chunk: string) => {
      text += chunk;
    };
    const progress = createProgress('terminal', env, { write, columns: 30 });
    await progress.stage('t', async (say) => {
      for (let length = 0; length < 40; length++) say('x'.repeat(length));
    });
    const rows = text.split(CLEAR).map(stripVTControlCharacters);
    for (const row of rows) assert.ok(row.length < 30, `${row.length} in 30: ${row}`);
    assert.ok(rows.some((row) => row.endsWith('…')));
    assert.ok(rows.some((row) => row.endsWith(': xxxxxxxxxx')));
  });
}
