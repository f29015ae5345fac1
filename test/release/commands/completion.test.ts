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

  test('zsh completes it by what is written for bash', async () => {
    const { stdout } = await runCli(dir, ['completion', 'zsh'], {});
    const path = join(dir, 'completion.zsh');
    await writeFile(path, `${stdout}\n`);
    // As typed at a terminal: zsh completes nowhere else.
    const asked = [
      'zmodload zsh/zpty; zpty shell zsh -f -i',
      `zpty -w shell "PS1=; source \${(q)1}; print rea''dy"; zpty -r shell REPLY '*ready*'`,
      `zpty -w -n shell $'thoth-release publish --dr\\t'; zpty -r shell REPLY '*--dry-run*' && print -r -- found`,
    ].join('\n');
    const zsh = await execa('zsh', ['-f', '-c', asked, 'zsh', path], { timeout: 20_000, env: { HOME: dir } });
    assert.equal(zsh.stdout.trim(), 'found');
  });

  describe('fish', () => {
    let path: string;
    before(async () => {
      path = join(dir, 'completion.fish');
      const { stdout } = await runCli(dir, ['completion', 'fish'], {});
      await writeFile(path, `${stdout}\n`);
    });

    /** What fish offers at the end of the line, with what it says of each. */
    async function shown(line: string): Promise<Map<string, string>> {
      const asked = 'source $argv[1]; complete -C $argv[2]';
      const { stdout, stderr } = await execa('fish', ['--no-config', '-c', asked, path, line], {
        cwd: dir,
        env: { HOME: dir },
      });
      assert.equal(stderr, '');
      const lines = stdout.split('\n').filter((one) => one !== '');
      return new Map(lines.map((one) => one.split('\t') as [string, string]));
    }

    test('offers every command with its summary, also after help', async () => {
      const all = COMMANDS.map(({ usage, summary }) => [usage.split(' ')[0], summary] as const);
      assert.deepEqual(await shown('thoth-release help '), new Map(all.toSorted()));
      const first = await shown('thoth-release ');
      assert.equal(first.get('help'), 'display help for command');
      assert.equal(first.size, COMMANDS.length + 1);
      assert.deepEqual([...(await shown('thoth-release re')).keys()], ['registry', 'rehearse', 'rescan']);
    });

    test('offers the options of the command that stands first, with their help', async () => {
      const options = await shown('thoth-release rollback promote --');
      assert.deepEqual(
        [...options.keys()],
        ['--dry-run', '--help', '--home', '--json', '--registry', '--repository', '--to'],
      );
      assert.equal(options.get('--dry-run'), 'only say what would be done');
      assert.equal(
        (await shown('thoth-release publish --signing')).get('--signing-config'),
        "addresses of a Sigstore of one's own (THOTH_SIGNING_CONFIG)",
      );
    });

    test('leaves a value to the names of files', async () => {
      assert.deepEqual(
        [...(await shown('thoth-release publish --layout compl')).keys()],
        ['completion.bash', 'completion.fish', 'completion.zsh'],
      );
    });
  });

  test('another shell: exit code 2, with those there are', async () => {
    const { exitCode, stderr } = await runCli(dir, ['completion', 'csh'], {});
    assert.equal(exitCode, 2);
    assert.match(stderr, /error USAGE: There is no completion for "csh"[\s\S]*bash, zsh or fish/);
  });
});
