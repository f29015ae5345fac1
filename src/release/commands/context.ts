import { createProgress, type Progress, progressStyle } from '../machine/progress.ts';
import { readSettings, SECRETS, type Settings, VARIABLES } from '../settings.ts';
import { takeSecrets } from '../signing/cosign.ts';

/** What the command line said, by option name; each command parses its own with a schema. */
export type Flags = Readonly<Record<string, string | boolean | undefined>>;

/** What every command is given. */
export interface Context {
  readonly settings: Settings;
  /** Variables for cosign alone: a password, a key, and what an OIDC token is had with. */
  readonly secrets: Readonly<Record<string, string>>;
  readonly json: boolean;
  readonly progress: Progress;
  /** Aborted by SIGINT and SIGTERM; every child process ends with it. */
  readonly signal: AbortSignal;
  /** Writes a result: text for people, or the value as one JSON document with `--json`. */
  print(text: string, value: unknown): void;
}

/** A command of thoth-release. Each is loaded when it is called, so that `--help` loads none. */
export interface CommandModule {
  run(context: Context, args: readonly string[], flags: Flags): Promise<void>;
}

/**
 * Reads flags and variables. Tokens are taken out of `env`: a scanner or an engine that is started has no use for them.
 *
 * @throws ReleaseError SETTING_INVALID
 */
export function createContext(flags: Flags, env: NodeJS.ProcessEnv, signal: AbortSignal): Context {
  const json = flags.json === true;
  const given = Object.fromEntries(
    Object.entries(flags).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
  const settings = readSettings(given, env, process.cwd());
  for (const name of SECRETS) delete env[VARIABLES[name]];
  return {
    settings,
    secrets: takeSecrets(env, [settings.signKey, settings.verifyKey]),
    json,
    signal,
    progress: createProgress(progressStyle(json, env, process.stderr), env, process.stderr),
    print(text, value) {
      process.stdout.write(json ? `${JSON.stringify(value, null, 2)}\n` : text.replace(/\n*$/, '\n'));
    },
  };
}
