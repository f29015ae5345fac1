import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { execa } from 'execa';
import { COMMANDS } from '../../../src/release/commands/catalogue.ts';
import { runCli } from '../cli-process.ts';

describe('thoth-release completion', () => {
  let dir: string;
  let script: string;
  before(async () => {
    dir = await mkdtemp(join(tmpdir(), 'thoth-completion-'));
    script = join(dir, 'completion.bash');
    const { exitCode, stdout, stderr } = await runCli(dir, ['completion', 'bash'], {});
    assert.equal(exitCode, 0, stderr);
    await writeFile(script, `${stdout}\n`);
  });
  after(() => rm(dir, { recursive: true, force: true }));

  /** What bash offers for the last of the words. */
  async function offered(...words: readonly string[]): Promise<string[]> {
    const asked = [
      'source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))',
      `_thoth_release; printf '%s\\n' "\${COMPREPLY[@]-}"`,
    ].join('; ');
    const { stdout } = await execa('bash', [
      '--norc',
      '-uc',
      asked,
      'bash',
      script,
      'thoth-release',
      ...words,
    ]);
    return stdout.split('\n').filter((word) => word !== '');
  }

  test('offers every command, and those that begin with what is typed', async () => {
    const names = COMMANDS.map(({ usage }) => usage.split(' ')[0]);
    assert.deepEqual(await offered(''), [...names, 'help']);
    assert.deepEqual(await offered('re'), ['rehearse', 'rescan', 'registry']);
    assert.deepEqual(await offered('help', 'pub'), ['publish']);
  });

  test('offers the options of a command, and those that all have', async () => {
    assert.deepEqual(await offered('rollback', '--'), [
      ...['--to', '--registry', '--repository', '--dry-run', '--home', '--json', '--help'],
    ]);
    assert.deepEqual(await offered('publish', '--tag', 'v1.0.0', '--dr'), ['--dry-run']);
  });

  test('leaves a value, and what there is not, to the names of files', async () => {
    assert.deepEqual(await offered('publish', '--layout', ''), []);
    assert.deepEqual(await offered('publish', '--home', 'x'), []);
    assert.deepEqual(await offered('nonsense', '--'), []);
  });

  test('bash knows what completes the program', async () => {
    const { stdout } = await execa('bash', [
      '--norc',
      '-c',
      `source "$1"; complete -p thoth-release`,
      'x',
      script,
    ]);
    assert.equal(stdout, 'complete -o default -F _thoth_release thoth-release');
  });

  test('another shell: exit code 2, with those there are', async () => {
    const { exitCode, stderr } = await runCli(dir, ['completion', 'csh'], {});
    assert.equal(exitCode, 2);
    assert.match(stderr, /error USAGE: There is no completion for "csh"[\s\S]*bash or zsh/);
  });
});
