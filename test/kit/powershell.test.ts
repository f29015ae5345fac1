import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { before, describe, test } from 'node:test';
import { Language, type Node, Parser } from 'web-tree-sitter';

const SCRIPTS = resolve(import.meta.dirname, '../../scripts');
const LIB = join(SCRIPTS, 'lib');
/** Each is written twice, with the same steps, options, words and exit codes. */
const TWINS = ['install', 'configure', 'update', 'rollback', 'uninstall'];

const files = (folder: string, end: string) =>
  readdirSync(folder)
    .filter((name) => name.endsWith(end))
    .map((name) => join(folder, name));
const read = (path: string) => readFileSync(path, 'utf8').replaceAll('\r\n', '\n');
const POWERSHELL = [...files(SCRIPTS, '.ps1'), ...files(LIB, '.ps1')];

describe('the PowerShell scripts', () => {
  let parser: Parser;
  before(async () => {
    await Parser.init();
    parser = new Parser();
    const grammar = createRequire(import.meta.url).resolve(
      'tree-sitter-powershell/tree-sitter-powershell.wasm',
    );
    parser.setLanguage(await Language.load(grammar));
  });

  for (const path of POWERSHELL) {
    test(`${path.slice(SCRIPTS.length + 1)} parses, in ASCII and with Windows' line ends`, () => {
      const tree = parser.parse(read(path));
      assert.ok(tree);
      assert.deepEqual(faults(tree.rootNode), []);
      const bytes = readFileSync(path, 'latin1');
      assert.doesNotMatch(bytes, /[^\t\r\n\x20-\x7e]/, 'Windows PowerShell takes it for its own code page');
      assert.doesNotMatch(bytes, /[^\r]\n/);
    });
  }

  test('none uses what Windows PowerShell 5.1 does not have', () => {
    for (const path of POWERSHELL) {
      const code = read(path)
        .replaceAll(/^\s*#.*$/gm, '')
        .replaceAll(/'[^'\n]*'/g, "''");
      assert.doesNotMatch(
        code,
        /\?\?|\?\.|&&|\|\||\?\s*\S+\s*:\s|ForEach-Object -Parallel|\$IsWindows/,
        path,
      );
    }
  });

  function faults(node: Node): string[] {
    if (node.isError || node.isMissing)
      return [`line ${node.startPosition.row + 1}: ${node.text.slice(0, 60)}`];
    return node.children.flatMap((child) => (child === null ? [] : faults(child)));
  }
});

describe('the scripts for Windows keep in step with those for the others', () => {
  for (const name of TWINS) {
    const [posix, windows] = [read(join(SCRIPTS, `${name}.sh`)), read(join(SCRIPTS, `${name}.ps1`))];

    test(`${name}: the same help, so the same options and exit codes`, () => {
      const [ours, theirs] = [help(posix), help(windows)];
      for (const [line, other] of Object.entries(WINDOWS_ONLY))
        assert.ok(name !== 'install' || ours.includes(line), other);
      assert.equal(
        theirs,
        Object.entries(WINDOWS_ONLY).reduce((text, [from, to]) => text.replace(from, to), ours),
      );
    });

    test(`${name}: takes each option of its help, and no other`, () => {
      const options = new Set(help(posix).match(/(?<=^# {3}.*)--[a-z-]+/gm));
      assert.ok(options.has('--help'));
      const taken = new Set(windows.replaceAll(/^#.*$/gm, '').match(/(?<=['^|(])--[a-z-]+(?=['$)])/g));
      for (const option of options) assert.ok(taken.has(option), option);
      const labels = posix.replaceAll(/^#.*$/gm, '').match(/(?<=^ {4,6}(?:-h \| )?)--[a-z-]+(?=\))/gm);
      assert.deepEqual(
        [...new Set(labels)].sort(),
        [...options, ...(name === 'configure' ? ['--image'] : [])].sort(),
      );
    });
  }

  test('each way to fail has the same exit code and the same words', () => {
    const ours = new Set(
      [...TWINS.map((name) => join(SCRIPTS, `${name}.sh`)), ...files(LIB, '.sh')].flatMap((path) =>
        failures(read(path)),
      ),
    );
    const theirs = new Set(POWERSHELL.flatMap((path) => failures(read(path))));
    const known = new Set([...ONLY_POSIX, ...ONLY_WINDOWS]);
    assert.deepEqual(
      [...theirs].filter((one) => !ours.has(one) && !known.has(one)),
      [],
      'only on Windows',
    );
    assert.deepEqual(
      [...ours].filter((one) => !theirs.has(one) && !known.has(one)),
      [],
      'only elsewhere',
    );
    for (const one of ONLY_POSIX) assert.ok(ours.has(one) && !theirs.has(one), one);
    for (const one of ONLY_WINDOWS) assert.ok(theirs.has(one) && !ours.has(one), one);
  });

  for (const [alone, shared, from, end] of [
    ['install.sh', 'lib/signature.sh', 'check_signature() {', '\n}'],
    ['install.ps1', 'lib/signature.ps1', 'function Test-Signature', '\n}'],
  ] as const) {
    test(`${alone}, which may be alone on a machine, has the same check of the signature as ${shared}`, () => {
      const cut = (text: string) => text.slice(text.indexOf(from), text.indexOf(end, text.indexOf(from)));
      const own = cut(read(join(SCRIPTS, alone)));
      assert.ok(own.length > 100);
      assert.equal(own, cut(read(join(SCRIPTS, shared))));
    });
  }
});

/** Lines of help that differ on Windows. */
const WINDOWS_ONLY: Readonly<Record<string, string>> = {
  'Linux, macOS or WSL, with Docker.': 'Windows 10 or 11, with Docker Desktop.',
  '(~/thoth, or THOTH_DIR)': "(thoth in the user's folder, or THOTH_DIR)",
};

/** What can only go wrong there, or is checked in other words. */
const ONLY_POSIX: readonly string[] = [
  'missing This script is for Linux, macOS and WSL, and this is *.',
  'missing curl or wget is needed to see that Thoth answers.',
  'usage --dir takes a folder without : $ " and \\ in its name.',
  'usage --data takes a folder without : $ " and \\ in its name.',
  // There, what can not be written says so by itself.
  'denied This user may not change *.',
  'denied The log * can not be written.',
  'denied The files in * can not be written.',
  'denied * can not be written.',
  'failed * can not be written.',
  // Two functions pass sentences on.
  'failed *',
  'usage *',
];
const ONLY_WINDOWS: readonly string[] = [
  'missing This script is for Windows.',
  'missing Docker runs Windows containers here.',
];

/** The comment at the head of a script, by the name of either kind. */
function help(text: string): string {
  const lines = text.split('\n').filter((line) => !line.startsWith('#!'));
  const end = lines.findIndex((line) => !line.startsWith('#'));
  return lines
    .slice(0, end)
    .join('\n')
    .replaceAll(/\.(sh|ps1)\b/g, '');
}

/** "CODE SENTENCE" of each way to fail, with a * for what is filled in. */
function failures(text: string): string[] {
  const marked = text
    .replaceAll(/\\\n\s*/g, ' ')
    .replaceAll(/\b(?:wrong_usage|Stop-Usage) /g, 'FAIL usage ')
    .replaceAll(/\b[fF]ail "?\$(\w+)"? /g, (_, code: string) => `FAIL ${code.toLowerCase()} `)
    .replaceAll(/\b[fF]ail 78 /g, 'FAIL wrong ');
  return [...collapse(marked).matchAll(/FAIL (\w+) ("(?:[^"])*"|'[^']*')/g)].map(
    ([, code, sentence = '']) => `${code} ${sentence.slice(1, -1).replaceAll(/\.(sh|ps1)\b/g, '')}`,
  );
}

/** What is filled in, as `$(…)`, `${…}` or `$name`, becomes a star. */
function collapse(text: string): string {
  let out = '';
  for (let at = 0; at < text.length; at += 1) {
    const opening = text.slice(at, at + 2);
    if (opening === '$(' || opening === '${') {
      const [open, close] = opening === '$(' ? ['(', ')'] : ['{', '}'];
      let depth = 0;
      for (at += 1; at < text.length; at += 1) {
        if (text[at] === open) depth += 1;
        if (text[at] === close) depth -= 1;
        if (depth === 0) break;
      }
      out += '*';
    } else if (/\$[\w:]/.test(opening)) {
      at += (/^\$[\w:]+/.exec(text.slice(at))?.[0].length ?? 1) - 1;
      out += '*';
    } else out += text[at];
  }
  return out;
}
