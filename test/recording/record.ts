/**
 * Records docs/images/rehearsal.svg and docs/images/install.svg from real runs: npm run recording [rehearsal|install]
 *
 * As root, on Debian, in a clone whose path may be seen, such as /tmp/thoth. Waits are cut; the client key, which ends
 * with its installation, and addresses of a private network are starred out; nothing else is changed.
 */
import { writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { Installation } from '../kit/installation.ts';
import { Machine, ROOT } from '../kit/machine.ts';
import { animate } from './animation.ts';
import { type Output, record } from './pseudo-terminal.ts';
import { screensOf } from './screens.ts';

/** GitHub shows no larger one at once. */
const MOST_BYTES = 500_000;

const CLIENT_KEY = /(thoth_[0-9a-f]+_)[0-9a-f]+/g;
const ADDRESS = /\b(?:10\.\d+|192\.168|172\.(?:1[6-9]|2\d|3[01]))\.\d+\.\d+/g;

/** What nobody else is to see. */
const PRIVATE: readonly (readonly [string, RegExp])[] = [
  ['the name of this machine', new RegExp(`\\b${hostname()}\\b`)],
  ['an address of a private network', new RegExp(ADDRESS.source)],
  ['a key', /\bsk-\w{8}|\bthoth_[0-9a-f]+_[0-9a-f]/],
];

const PARTS: Readonly<Record<string, () => Promise<void>>> = {
  async rehearsal() {
    const { CI: _, ...env } = process.env;
    const defined = Object.fromEntries(
      Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined),
    );
    const outputs = await recordAll(['make rehearse'], { cwd: ROOT, env: defined });
    await write('rehearsal', outputs, 'make rehearse: a whole release, up to the row of each platform');
  },

  async install() {
    const machine = await Machine.start();
    try {
      await machine.release('v1.1.0');
      const here = await Installation.at(machine);
      const env = { ...machine.env, OPENAI_API_KEY: 'sk-none' };
      const options = `--port ${here.port} --image ${machine.image} --skip-key-check --non-interactive`;
      const outputs = await recordAll(
        [
          `sh scripts/install.sh --version v1.0.0 ${options}`,
          'sh ~/thoth/scripts/update.sh v1.1.0',
          'sh ~/thoth/scripts/rollback.sh',
          'sh ~/thoth/scripts/status.sh',
        ],
        { cwd: ROOT, env },
      );
      await write('install', outputs, 'install.sh, update.sh and rollback.sh, each up to a healthy service');
    } finally {
      await machine.stop();
    }
  },
};

/** @throws Error where a command fails: no picture of that is taken */
async function recordAll(
  commands: readonly string[],
  options: Parameters<typeof record>[1],
): Promise<Output[]> {
  const outputs: Output[] = [];
  for (const command of commands) {
    const { outputs: said, exitCode } = await record(command, options);
    if (exitCode !== 0)
      throw new Error(`${command} ended with ${exitCode}:\n${Buffer.concat(said.map(({ bytes }) => bytes))}`);
    outputs.push(...said.map(({ after, bytes }) => ({ after, bytes: starredOut(bytes) })));
  }
  return outputs;
}

/** With stars for the secret part of every client key, and for addresses of a private network, in the same room. */
function starredOut(bytes: Buffer): Buffer {
  const text = bytes.toString('latin1');
  const starred = text
    .replace(CLIENT_KEY, (key, head: string) => head.padEnd(key.length, '*'))
    .replace(ADDRESS, (address) => address.replace(/\d/g, '*'));
  return Buffer.from(starred, 'latin1');
}

async function write(name: string, outputs: readonly Output[], title: string): Promise<void> {
  const screens = await screensOf(outputs);
  const svg = animate(screens, title);
  for (const [what, pattern] of PRIVATE) {
    if (pattern.test(svg)) throw new Error(`${name} shows ${what}: ${pattern.exec(svg)?.[0]}`);
  }
  if (svg.length > MOST_BYTES) throw new Error(`${name} has ${svg.length} bytes.`);
  await writeFile(join(ROOT, 'docs/images', `${name}.svg`), svg);
  console.log(`docs/images/${name}.svg: ${screens.length} screens, ${svg.length} bytes`);
}

const asked = process.argv.slice(2);
for (const part of asked.length === 0 ? Object.keys(PARTS) : asked) {
  const run = PARTS[part];
  if (run === undefined)
    throw new Error(`There is no ${part}; give one of ${Object.keys(PARTS).join(', ')}.`);
  await run();
}
