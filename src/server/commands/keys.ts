import { EXIT } from '../exit.ts';
import { Failure, type Fault } from '../failure.ts';
import { draftOf, issuedViewOf, KeyRequest, type KeyView, viewOf } from '../keys/key-json.ts';
import { type IssuedKey, Keyring } from '../keys/keyring.ts';
import { readSetting } from '../settings/read.ts';
import { Store } from '../store/store.ts';
import { type Command, type Input, print } from './command.ts';
import { durationOf } from './duration.ts';

const DEFAULT_OVERLAP = '24h';

/** `thoth keys create`. The key alone goes to standard output, so that a script can take it. */
export const createKey: Command = {
  async run(input) {
    const draft = draftOf(requestOf(input));
    tell(
      input,
      inStore((keyring) => keyring.create(draft)),
      'is made',
    );
    return EXIT.done;
  },
};

/** `thoth keys list`. */
export const listKeys: Command = {
  async run(input) {
    const keys = inStore((keyring) => keyring.list()).map((key) => viewOf(key));
    print(input, { keys }, table(keys));
    return EXIT.done;
  },
};

/** `thoth keys rotate ID`. */
export const rotateKey: Command = {
  async run(input) {
    const overlap = durationOf(input.text('overlap') ?? DEFAULT_OVERLAP);
    if (overlap === undefined) throw wrong([fault('--overlap', 'is no time such as 30m, 12h or 7d')]);
    const issued = inStore((keyring) => keyring.rotate(idOf(input), overlap));
    if (issued === undefined) throw noSuchKey();
    tell(input, issued, 'has a new secret');
    return EXIT.done;
  },
};

/** `thoth keys revoke ID`. */
export const revokeKey: Command = {
  async run(input) {
    const key = inStore((keyring) => keyring.revoke(idOf(input)));
    if (key === undefined) throw noSuchKey();
    print(input, viewOf(key), `The key ${key.id} (${key.name}) is refused from now on.\n`);
    return EXIT.done;
  },
};

function inStore<T>(work: (keyring: Keyring) => T): T {
  const store = new Store(readSetting(process.env, 'DATA_DIR'));
  try {
    return work(new Keyring(store));
  } finally {
    store.close();
  }
}

/** Its id, or all of the key by which somebody knows it. */
function idOf({ args: [given = ''] }: Input): string {
  return /^thoth_([0-9a-f]{12})(_|$)/.exec(given)?.[1] ?? given;
}

function tell(input: Input, issued: IssuedKey, what: string): void {
  const { id, name, scopes } = issued.key;
  print(input, issuedViewOf(issued), `${issued.token}\n`);
  if (!input.json) {
    process.stderr.write(
      `The key ${id} (${name}; ${scopes.join(', ')}) ${what}. It is shown this once, above.\n`,
    );
  }
}

const FLAGS: Readonly<Record<keyof KeyRequest, readonly [flag: string, rule: string]>> = {
  name: ['--name', 'is needed: a line of up to 100 characters'],
  scopes: ['--scope', 'must be of chat, embeddings, models, usage and admin, with commas between'],
  expires_at: ['--expires', 'must be a time to come, such as 90d, 12h or 2027-01-01'],
  requests_per_minute: ['--requests-per-minute', 'must be a whole number from 1 to 1000000000'],
  tokens_per_minute: ['--tokens-per-minute', 'must be a whole number from 1 to 1000000000'],
  monthly_budget_usd: ['--budget', 'must be dollars, up to 1000000'],
};

/** @throws Failure with exit code 64 and every flag that is wrong */
function requestOf(input: Input): KeyRequest {
  const given = {
    name: input.text('name'),
    scopes: input.text('scope')?.split(','),
    expires_at: expiryOf(input.text('expires')),
    requests_per_minute: numberOf(input.text('requests-per-minute')),
    tokens_per_minute: numberOf(input.text('tokens-per-minute')),
    monthly_budget_usd: numberOf(input.text('budget')),
  };
  const parsed = KeyRequest.safeParse(given);
  if (parsed.success) return parsed.data;
  const names = new Set(parsed.error.issues.map(({ path }) => path[0] as keyof KeyRequest));
  throw wrong([...names].map((name) => fault(...FLAGS[name])));
}

/** A text that is no number is left as it is, to be refused with the others. */
function numberOf(text: string | undefined): number | string | undefined {
  return text !== undefined && /^\d+(\.\d+)?$/.test(text) ? Number(text) : text;
}

function expiryOf(text: string | undefined): string | undefined {
  const ms = text === undefined ? undefined : durationOf(text);
  if (text === undefined || ms === undefined) {
    return text !== undefined && /^\d{4}-\d{2}-\d{2}$/.test(text) ? `${text}T00:00:00Z` : text;
  }
  return new Date(Date.now() + ms).toISOString();
}

function fault(subject: string, problem: string): Fault {
  return { subject, problem, fix: 'Run "thoth help keys create", or "thoth help keys rotate".' };
}

function wrong(faults: readonly Fault[]): Failure {
  return new Failure(EXIT.usage, 'The command line is wrong.', faults);
}

function noSuchKey(): Failure {
  const problem = 'there is no such key, or it is revoked';
  const fix = 'Run "thoth keys list" for their ids.';
  return new Failure(EXIT.failed, 'Nothing was changed.', [{ subject: 'keys', problem, fix }]);
}

function table(keys: readonly KeyView[]): string {
  if (keys.length === 0) return 'There is no key. Make one: thoth keys create --name NAME\n';
  const rows = keys.map((key) => [key.id, key.state, key.scopes.join(','), limitsOf(key), key.name]);
  const head = ['ID', 'STATE', 'SCOPES', 'LIMITS', 'NAME'];
  const widths = head.map((_, column) => Math.max(...[head, ...rows].map((row) => row[column]?.length ?? 0)));
  return [head, ...rows]
    .map(
      (row) =>
        `${row
          .map((cell, column) => cell.padEnd(widths[column] ?? 0))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('');
}

function limitsOf(key: KeyView): string {
  const limits = [
    key.expires_at && `until ${key.expires_at.slice(0, 10)}`,
    key.requests_per_minute && `${key.requests_per_minute} requests/min`,
    key.tokens_per_minute && `${key.tokens_per_minute} tokens/min`,
    key.monthly_budget_usd && `$${key.monthly_budget_usd}/month`,
  ];
  return limits.filter((limit) => limit).join(', ') || 'none';
}
