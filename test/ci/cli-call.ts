import type { Argument, Reference } from './reference.ts';

/** A `dagger call` or `dagger check` found in a file: its words after that. */
export interface CliCall {
  readonly verb: 'call' | 'check';
  readonly words: readonly string[];
  readonly text: string;
}

/** Flags of the dagger program itself that a call may carry; `true` where it takes a value. */
const OWN_FLAGS: Readonly<Record<string, boolean>> = {
  '--progress': true,
  '--silent': false,
  '-s': false,
  '--quiet': false,
  '-q': false,
  '--mod': true,
  '-m': true,
  '--output': true,
  '-o': true,
  '--auto-apply': false,
  '-y': false,
  '--json': false,
  '--help': false,
};

/** Finds every call in a script, a workflow or a document. A line that goes on after `\` is one line. */
export function findCalls(content: string): CliCall[] {
  const calls: CliCall[] = [];
  for (const line of content.replaceAll(/\\\n\s*/g, ' ').split('\n')) {
    for (const match of line.matchAll(
      /\bdagger (?:--?[a-z-]+(?:[ =]plain)? )*(call|check)\b([^`|;&#)─]*)/g,
    )) {
      const words = (match[2] ?? '').match(/(?:"[^"]*"|'[^']*'|[^\s"'])+/g) ?? [];
      calls.push({ verb: match[1] as 'call' | 'check', words: [...words], text: match[0].trim() });
    }
  }
  return calls;
}

/**
 * What in a call names a function or flag the module does not have; empty where all is well.
 *
 * @param prose in a text a function may be named without its arguments: nobody is told to type that
 */
export function faults(call: CliCall, reference: Reference, prose = false): string[] {
  return call.verb === 'check' ? checkFaults(call, reference) : callFaults(call, reference, prose);
}

function checkFaults(call: CliCall, reference: Reference): string[] {
  const checks = reference.functions.filter((entry) => entry.check).map((entry) => entry.command);
  return call.words
    .filter((word) => !word.startsWith('-') && isName(word) && !checks.includes(word))
    .map((word) => `"${word}" is no check: ${call.text}`);
}

function callFaults(call: CliCall, reference: Reference, prose: boolean): string[] {
  const words = [...call.words];
  const found: string[] = [];
  const take = (known: readonly Argument[], owner: string): Set<string> => {
    const given = new Set<string>();
    while (words[0]?.startsWith('-')) {
      const [flag = '', attached] = (words.shift() ?? '').split('=', 2);
      const argument = known.find((entry) => `--${entry.flag}` === flag);
      const own = OWN_FLAGS[flag];
      if (argument === undefined && own === undefined)
        found.push(`${owner} has no flag ${flag}: ${call.text}`);
      if (argument !== undefined) given.add(argument.flag);
      const valued = argument === undefined ? own === true : argument.type !== 'boolean';
      if (valued && attached === undefined) words.shift();
    }
    return given;
  };
  take(reference.constructorArguments, 'the module');
  const name = words.shift();
  if (name === undefined || !isName(name)) return found; // a placeholder, as in "dagger call FUNCTION"
  const entry = reference.functions.find((candidate) => candidate.command === name);
  if (entry === undefined) return [...found, `there is no function "${name}": ${call.text}`];
  if (prose && call.words.length === 1) return found;
  const given = take(entry.arguments, name);
  for (const argument of entry.arguments) {
    if (!argument.optional && !given.has(argument.flag)) {
      found.push(`${name} needs --${argument.flag}: ${call.text}`);
    }
  }
  return found;
}

function isName(word: string): boolean {
  return /^[a-z][a-z-]*$/.test(word);
}
