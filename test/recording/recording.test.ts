import assert from 'node:assert/strict';
import { test } from 'node:test';
import { animate } from './animation.ts';
import { record, SIZE } from './pseudo-terminal.ts';
import { screensOf } from './screens.ts';

const PATH = process.env.PATH ?? '';

test('a recording is what a command wrote to a terminal, with its prompt', async () => {
  const command = String.raw`printf 'one\n\033[32mdone\033[0m <two>'; sleep 0.3; printf '\r\033[2Kthree\n'; tput cols; exit 3`;
  const { outputs, exitCode } = await record(command, { cwd: '/', env: { PATH } });
  assert.equal(exitCode, 3);
  const screens = await screensOf(outputs);
  const texts = screens.map(({ rows }) => rows.map((row) => row.map(({ text }) => text).join('')));
  const last = texts.at(-1) ?? [];
  assert.match(last[0] ?? '', /^\$ printf/);
  assert.deepEqual(
    last.slice(-SIZE.rows).filter((line) => /^(one|three|\d+)$/.test(line)),
    ['one', 'three', String(SIZE.columns)],
  );
  assert.ok(screens.some(({ rows }) => rows.flat().some((run) => run.text === 'done' && run.colour === 2)));
});

test('a wait is cut, and what changes too fast to be seen is left out', async () => {
  const outputs = [0, 0.01, 60, 0.5].map((after, n) => ({ after, bytes: Buffer.from(String(n)) }));
  const screens = await screensOf(outputs);
  assert.deepEqual(
    screens.map(({ at, rows }) => [Number(at.toFixed(2)), rows[0]?.[0]?.text]),
    [
      [0, '01'],
      [0.71, '012'],
      [1.21, '0123'],
    ],
  );
});

test('an animation has every screen once, each row once, and nothing that is active', () => {
  const run = { column: 0, text: 'a <b> & c', colour: 2, bold: true, dim: false };
  const screens = [0, 1, 2].map((at) => ({ at, rows: [[run], at === 2 ? [{ ...run, text: 'x' }] : []] }));
  const svg = animate(screens, 'A title');
  assert.equal(svg.match(/<g transform="translate\(\d+\)"/g)?.length, 3);
  assert.equal(svg.match(/a &#60;b&#62; &#38; c/g)?.length, 1);
  assert.match(svg, /textLength="75\.6" class="c2 b"/);
  assert.match(svg, /0\.000%\{transform:translateX\(0px\)\}16\.667%\{/);
  assert.doesNotMatch(svg, /script|onload|http(?!:\/\/www\.w3\.org)/);
});
