import { EXIT, type ExitCode } from '../exit.ts';
import { Failure } from '../failure.ts';
import { readSettings } from '../settings/read.ts';
import { PROVIDER_KEYS } from '../settings/schema.ts';
import { type Command, print } from './command.ts';
import { checkProviderKeys, type KeyCheck } from './key-check.ts';

/** `thoth check-keys`: how each provider takes the key that is set for it. */
export const checkKeys: Command = {
  async run(input) {
    const checks = await checkProviderKeys(readSettings(process.env));
    if (checks.length === 0) throw noKey();
    const lines = checks.map(({ provider, state, reason }) => `${provider}: ${state} (${reason})\n`);
    print(input, { keys: checks }, lines.join(''));
    return exitCodeOf(checks);
  },
};

/** A key that somebody has to change counts for more than a provider that is away for a moment. */
function exitCodeOf(checks: readonly KeyCheck[]): ExitCode {
  const states = new Set(checks.map(({ state }) => state));
  if (states.has('invalid') || states.has('no quota')) return EXIT.denied;
  return states.has('unreachable') ? EXIT.unavailable : EXIT.done;
}

function noKey(): Failure {
  return new Failure(EXIT.settings, 'There is nothing to check.', [
    {
      subject: PROVIDER_KEYS.join(', '),
      problem: 'no provider key is given',
      fix: 'Set at least one of them.',
    },
  ]);
}
