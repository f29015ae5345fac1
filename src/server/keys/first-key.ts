import { NO_LIMITS } from './client-key.ts';
import type { Keyring } from './keyring.ts';

const LINE = '='.repeat(80);

/**
 * Makes a key for everything where none was ever made, and says so on standard error: a log line would be kept,
 * searched and sent on by whatever collects logs.
 *
 * @throws Failure where the store can't be written
 */
export function makeFirstKey(keyring: Keyring, write: (text: string) => void): void {
  if (!keyring.isEmpty()) return;
  const { key, token } = keyring.create({
    name: 'first',
    scopes: ['admin'],
    expiresAt: null,
    limits: NO_LIMITS,
  });
  write(`${LINE}
This is the first client key, with the scope admin. It is shown this once:

    ${token}

Whoever reads this log has it. To replace it: thoth keys rotate ${key.id} --overlap 0
${LINE}
`);
}
