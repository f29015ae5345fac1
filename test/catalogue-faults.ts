/** A command as a catalogue has it (src/release/commands, src/server/commands). */
export interface Command {
  /** Its words, then its arguments: `<needed>`, `[optional]`, `[any...]`. */
  readonly usage: string;
  /** A line each: `--flag` or `--flag <value>`. */
  readonly options: readonly (readonly [flags: string, description: string])[];
  readonly required?: readonly string[];
}

/** What every command takes. */
const COMMON = ['--json', '--help'];

/**
 * What a program would refuse of a command line; empty where it takes all of it.
 *
 * @param words what stands after the program's name
 * @param common further flags of every command
 */
export function catalogueFaults(
  commands: readonly Command[],
  words: readonly string[],
  common: readonly string[] = [],
): string[] {
  const entry = commands.find(({ usage }) => nameOf(usage).every((word, index) => words[index] === word));
  if (entry === undefined) return [`there is no command ${words.slice(0, 2).join(' ')}`];
  const name = nameOf(entry.usage);
  const rest = words.slice(name.length);
  const places = entry.usage.split(' ').slice(name.length);
  const known = new Map(
    [...entry.options.map(([flags]) => flags), ...common, ...COMMON].map((flags) => {
      const [flag = '', value] = flags.split(' ');
      return [flag, value !== undefined];
    }),
  );
  const missing = new Set((entry.required ?? []).map((option) => `--${option}`));
  const faults: string[] = [];
  let given = 0;
  for (let index = 0; index < rest.length; index += 1) {
    const [word = '', value] = (rest[index] ?? '').split('=', 2);
    if (word === '--') break;
    missing.delete(word);
    if (!word.startsWith('--')) given += 1;
    else if (!known.has(word)) faults.push(`${name.join(' ')} has no ${word}`);
    if (known.get(word) === true && value === undefined) index += 1;
  }
  if (rest.includes('--help')) return faults;
  const least = places.filter((place) => place.startsWith('<')).length;
  const most = places.some((place) => place.includes('...')) ? Number.POSITIVE_INFINITY : places.length;
  if (given > most) faults.push(`${name.join(' ')} is given too much`);
  if (given < least) faults.push(`${name.join(' ')} is given too little`);
  return [...faults, ...[...missing].map((flag) => `${name.join(' ')} needs ${flag}`)];
}

function nameOf(usage: string): string[] {
  return usage.split(' ').filter((word) => !/^[<[]/.test(word));
}
