import type { Command } from './command.ts';

/** A command as the help shows it. `options` is a line each: `['--flag <value>', 'what it is']`. */
export interface Entry {
  /** Its words, then its arguments: `<needed>` or `[optional]`. */
  readonly usage: string;
  readonly summary: string;
  readonly options: readonly (readonly [flags: string, description: string])[];
  readonly examples: readonly string[];
  /** The command itself is loaded when it is called: help loads none. */
  readonly load: () => Promise<Command>;
}

/** Every command, in the order of the help. */
export const COMMANDS: readonly Entry[] = [
  {
    usage: 'serve',
    summary: 'run the service until it is told to stop (default)',
    options: [],
    examples: ['serve'],
    load: async () => (await import('./serve.ts')).serve,
  },
  {
    usage: 'init <what>',
    summary: 'print what a new installation needs: compose or env',
    options: [],
    examples: ['init compose > docker-compose.yml', 'init env > .env'],
    load: async () => (await import('./init.ts')).init,
  },
  {
    usage: 'check-keys',
    summary: 'ask each provider whether its key is good: valid, invalid, no quota or unreachable',
    options: [],
    examples: ['check-keys', 'check-keys --json'],
    load: async () => (await import('./check-keys.ts')).checkKeys,
  },
  {
    usage: 'doctor',
    summary: 'examine settings, data, disk and providers; fit for a bug report, for it shows no secret',
    options: [['--offline', 'leave the providers alone']],
    examples: ['doctor', 'doctor --offline --json'],
    load: async () => (await import('./doctor.ts')).doctor,
  },
  {
    usage: 'keys create',
    summary: 'make a client key, and print it this once',
    options: [
      ['--name <text>', 'who or what it is for'],
      ['--scope <list>', 'chat, embeddings, models, usage, admin (default: chat,embeddings,models)'],
      ['--expires <when>', 'a time from now, such as 90d or 12h, or a date, such as 2027-01-01'],
      ['--requests-per-minute <number>', 'at most so many requests'],
      ['--tokens-per-minute <number>', 'at most so many tokens, of input and output'],
      ['--budget <dollars>', 'at most so much in a calendar month, UTC'],
    ],
    examples: ['keys create --name laptop --budget 20', 'keys create --name admin --scope admin --json'],
    load: async () => (await import('./keys.ts')).createKey,
  },
  {
    usage: 'keys list',
    summary: 'list the client keys, the newest first',
    options: [],
    examples: ['keys list'],
    load: async () => (await import('./keys.ts')).listKeys,
  },
  {
    usage: 'keys rotate <id>',
    summary: 'give a client key a new secret, and print it this once',
    options: [['--overlap <time>', 'how long the old one is still accepted (default: 24h)']],
    examples: ['keys rotate 0f1e2d3c4b5a --overlap 7d', 'keys rotate 0f1e2d3c4b5a --overlap 0'],
    load: async () => (await import('./keys.ts')).rotateKey,
  },
  {
    usage: 'keys revoke <id>',
    summary: 'refuse a client key from now on',
    options: [],
    examples: ['keys revoke 0f1e2d3c4b5a'],
    load: async () => (await import('./keys.ts')).revokeKey,
  },
  {
    usage: 'backup',
    summary: 'write all data into one file, while the service runs',
    options: [['--output <file>', 'where to; - is standard output']],
    examples: ['backup --output /backup/thoth.tar', 'backup --output - | gzip > thoth.tar.gz'],
    load: async () => (await import('./backup.ts')).backup,
  },
  {
    usage: 'restore <file>',
    summary: 'put a backup in place of the data; - is standard input',
    options: [['--while-running', 'even where a service runs on the data; it has to be restarted then']],
    examples: ['restore /backup/thoth.tar', 'restore - < thoth.tar'],
    load: async () => (await import('./restore.ts')).restoreCommand,
  },
  {
    usage: 'healthcheck',
    summary: 'ask the running service for /health: exit code 0 if it answers 200 within 2 seconds, else 1',
    options: [],
    examples: ['healthcheck'],
    load: async () => (await import('./healthcheck.ts')).healthcheck,
  },
  {
    usage: 'version',
    summary: 'print the version, the commit and the Node that runs it',
    options: [],
    examples: ['version --json'],
    load: async () => (await import('./version.ts')).version,
  },
];

/** The words of a command, without its arguments: `keys create`. */
export function nameOf({ usage }: Entry): string {
  return usage.replace(/ [<[].*$/, '');
}
