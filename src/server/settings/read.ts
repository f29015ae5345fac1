import { EXIT } from '../exit.ts';
import { Failure, type Fault } from '../failure.ts';
import { contradictions } from './contradictions.ts';
import { aboutSetting, SETTING_NAMES, type SettingName, Settings } from './schema.ts';
import { readSecretFile } from './secret-file.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads all settings from environment variables and the files that `*_FILE` variables name.
 *
 * White space around a value is dropped (files edited on Windows end lines in CRLF) and an empty value is
 * an absent one (Compose passes unset variables as empty).
 *
 * @throws Failure with exit code 78 and every fault at once; no fault repeats a value that was given
 */
export function readSettings(environment: Environment): Settings {
  const faults: Fault[] = [];
  const given: Partial<Record<SettingName, string>> = {};
  for (const name of SETTING_NAMES) {
    const value = present(environment[name]);
    const path = aboutSetting(name).secret ? present(environment[`${name}_FILE`]) : undefined;
    if (path !== undefined && value !== undefined) faults.push(twice(name));
    const text = value ?? (path === undefined ? undefined : readSecretFile(path));
    if (typeof text === 'object') faults.push(fileFault(name, text.problem));
    else if (text !== undefined) given[name] = text;
  }
  const parsed = Settings.safeParse(given);
  if (!parsed.success) {
    const wrong = new Set(parsed.error.issues.map((issue) => issue.path[0]));
    for (const name of SETTING_NAMES) if (wrong.has(name)) faults.push(valueFault(environment, name));
  }
  if (parsed.success) faults.push(...contradictions(parsed.data));
  if (faults.length > 0 || !parsed.success) throw failure(faults);
  return parsed.data;
}

/**
 * Reads one setting alone, for a command that needs no other.
 *
 * @throws Failure with exit code 78
 */
export function readSetting<Name extends SettingName>(environment: Environment, name: Name): Settings[Name] {
  const parsed = Settings.safeParse({ [name]: present(environment[name]) });
  if (!parsed.success) throw failure([valueFault(environment, name)]);
  return parsed.data[name];
}

function present(value: string | undefined): string | undefined {
  const trimmed = value?.trim();
  return trimmed === '' ? undefined : trimmed;
}

function twice(name: SettingName): Fault {
  return {
    subject: name,
    problem: `is given twice, in ${name} and in ${name}_FILE`,
    fix: 'Keep one of them and remove the other.',
  };
}

function fileFault(name: SettingName, problem: string): Fault {
  const fix = `Make it the path of a file that holds the key alone and that user ${userId()} may read, or remove it.`;
  return { subject: `${name}_FILE`, problem, fix };
}

function valueFault(environment: Environment, name: SettingName): Fault {
  const { rule, example, secret } = aboutSetting(name);
  const inFile = secret && present(environment[name]) === undefined;
  return {
    subject: inFile ? `${name}_FILE` : name,
    problem: inFile ? `names a file whose text ${rule}` : rule,
    fix: secret
      ? 'Copy it again from where it came, as plain text.'
      : `Set for example ${name}=${example}, or remove it for the default, ${defaultOf(name) ?? 'none'}.`,
  };
}

function userId(): string {
  return process.getuid === undefined ? 'of the service' : String(process.getuid());
}

/** The value a setting has where none is given; `undefined` where it has none. */
export function defaultOf(name: SettingName): string | undefined {
  const value = Settings.parse({})[name];
  return value === undefined ? undefined : String(value);
}

function failure(faults: readonly Fault[]): Failure {
  const count = faults.length === 1 ? 'A setting is wrong' : `${faults.length} settings are wrong`;
  return new Failure(EXIT.settings, `${count}.`, faults);
}
