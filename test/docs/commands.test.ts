import assert from 'node:assert/strict';
import { test } from 'node:test';
import { commandFaults } from './command-faults.ts';
import { commandLines } from './command-line.ts';
import { projectDocuments, projectFiles } from './document.ts';

const files = projectFiles();

for (const [path, { shell }] of projectDocuments(files)) {
  if (shell.length === 0) continue;
  test(`commands of ${path}`, () => {
    const faults = shell
      .flatMap((script) => commandLines(script))
      .flatMap((line) => commandFaults(line, files).map((fault) => `${fault}: ${line.join(' ')}`));
    assert.deepEqual(faults, []);
  });
}

const LINES: readonly (readonly [script: string, commands: readonly string[]])[] = [
  ['a b   # c', ['a b']],
  ['a \\\n  b', ['a b']],
  ['a && b | c; d', ['a', 'b', 'c', 'd']],
  ['X=1 Y="2 3" a', ['a']],
  ['a "b c" \'d\'', ['a b c d']],
  ['a > b 2>&1 < c', ['a']],
  ['a "$(b c)"', ['a SUBSTITUTED', 'b c']],
  ["sh -c 'a | b'", ['sh -c a | b', 'a', 'b']],
  ['# a\n\n$ b', ['b']],
];

for (const [script, commands] of LINES) {
  test(`a script: ${JSON.stringify(script)}`, () =>
    assert.deepEqual(
      commandLines(script).map((words) => words.join(' ')),
      commands,
    ));
}

const CASES: readonly (readonly [command: string, fault?: string])[] = [
  ['thoth keys create --name laptop --budget 20'],
  ['thoth keys destroy', 'there is no command keys destroy'],
  ['thoth keys rotate', 'keys rotate is given too little'],
  ['thoth doctor --online', 'doctor has no --online'],
  ['docker compose exec thoth thoth keys list --json'],
  ['docker compose exec thoth thoth keys sell', 'there is no command keys sell'],
  ['docker exec thoth /nodejs/bin/node /usr/local/bin/thoth versions', 'there is no command versions'],
  ['docker run --rm marcopancotti/thoth:v1 init compose'],
  ['docker run -d --name thoth -v thoth_data:/app/data marcopancotti/thoth:v1'],
  ['docker run --rm docker.io/marcopancotti/thoth:v1 initialise', 'there is no command initialise'],
  ['docker compose run --rm thoth check-key', 'there is no command check-key'],
  ['kubectl exec deploy/thoth -- thoth backup --to=x', 'backup has no --to'],
  ['thoth-release publish --tag v1.0.0 --home x'],
  ['thoth-release publish', 'publish needs --tag'],
  ['npm run -s release -- tags', 'tags is given too little'],
  ['npm run -s releases -- tags', 'package.json has no script releases'],
  ['make rehearse TAG=v1.0.0'],
  ['make release', 'make has no target release'],
  ['node --import tsx src/nothing.ts', 'there is no src/nothing.ts'],
  ['sh scripts/install.sh --help'],
  ['scripts/install.sh --hlep', 'scripts/install.sh has no --hlep'],
  ['sudo scripts/reinstall.sh', 'there is no scripts/reinstall.sh'],
  ['helm install thoth deploy/helm/thoth --set image.tag=v1.0.0 --set settings.LOG_LEVEL=debug'],
  ['helm upgrade thoth deploy/helm/thoth --set image.version=v1', 'the chart has no value image.version'],
  ['helm upgrade thoth x --set settings.LOGLEVEL=x', 'the chart has no value settings.LOGLEVEL'],
];

for (const [command, fault] of CASES) {
  test(`a command: ${command}`, () =>
    assert.deepEqual(
      commandLines(command).flatMap((line) => commandFaults(line, files)),
      fault === undefined ? [] : [fault],
    ));
}
