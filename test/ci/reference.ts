import type { Chain, Step } from './engine.ts';

export interface Argument {
  readonly name: string;
  /** As typed on the command line: `registry-user`. */
  readonly flag: string;
  readonly type: string;
  readonly optional: boolean;
  /** JSON; `undefined` where there is none. */
  readonly defaultValue: string | undefined;
  readonly defaultPath: string | undefined;
  readonly ignore: readonly string[];
  readonly description: string;
}

export interface FunctionReference {
  readonly name: string;
  /** As typed on the command line. */
  readonly command: string;
  readonly returns: string;
  readonly arguments: readonly Argument[];
  readonly description: string;
  /** `Never` where each call runs anew. */
  readonly cache: string;
  readonly check: boolean;
}

/** A module as it registers itself with the engine. */
export interface Reference {
  readonly description: string;
  readonly constructorArguments: readonly Argument[];
  readonly functions: readonly FunctionReference[];
}

const find = (chain: Chain, field: string) => chain.filter((step) => step.field === field);
const text = (step: Step | undefined, name: string) => String(step?.args[name] ?? '');

/** Reads the chain of calls by which the SDK registers a module with one object. */
export function readReference(registration: Chain): Reference {
  const object = find(registration, 'withObject').at(-1)?.args.object as Chain;
  const builder = find(object, 'withConstructor')[0]?.args.function as Chain;
  return {
    description: text(find(registration, 'withDescription')[0], 'description'),
    constructorArguments: find(builder, 'withArg').map(readArgument),
    functions: find(object, 'withFunction').map((step) => readFunction(step.args.function as Chain)),
  };
}

function readFunction(chain: Chain): FunctionReference {
  const [head] = find(chain, 'function');
  const name = text(head, 'name');
  return {
    name,
    command: kebab(name),
    returns: typeName(head?.args.returnType as Chain),
    arguments: find(chain, 'withArg').map(readArgument),
    description: text(find(chain, 'withDescription')[0], 'description'),
    cache: text(find(chain, 'withCachePolicy')[0], 'policy'),
    check: find(chain, 'withCheck').length > 0,
  };
}

function readArgument(step: Step): Argument {
  const typeDef = step.args.typeDef as Chain;
  const { defaultValue, defaultPath, ignore } = step.args;
  return {
    name: text(step, 'name'),
    flag: kebab(text(step, 'name')),
    type: typeName(typeDef),
    optional:
      find(typeDef, 'withOptional').length > 0 || defaultValue !== undefined || defaultPath !== undefined,
    defaultValue: defaultValue === undefined ? undefined : String(defaultValue),
    defaultPath: defaultPath === undefined ? undefined : String(defaultPath),
    ignore: (ignore as string[] | undefined) ?? [],
    description: text(step, 'description'),
  };
}

function typeName(chain: Chain): string {
  for (const step of chain) {
    if (step.field === 'withListOf') return `[${typeName(step.args.elementType as Chain)}]`;
    if (step.field === 'withObject' || step.field === 'withScalar') return text(step, 'name');
    if (step.field === 'withKind') return text(step, 'kind').toLowerCase().replace('_kind', '');
  }
  return '';
}

function kebab(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** The two tables of docs/DAGGER.md. */
export function referenceTables(reference: Reference): string {
  const cell = (value: string) => value.replaceAll('\n', ' ').replaceAll('|', '\\|');
  const row = (...cells: string[]) => `| ${cells.map(cell).join(' | ')} |`;
  return [
    row('Function', 'Arguments', 'Returns', 'Cached', 'What it does'),
    '|---|---|---|---|---|',
    ...reference.functions.map((entry) =>
      row(
        `\`${entry.command}\`${entry.check ? ' (check)' : ''}`,
        entry.arguments.map(argumentCell).join('<br>') || 'none',
        entry.returns,
        entry.cache === 'Never' ? 'never' : 'by its inputs',
        entry.description,
      ),
    ),
    '',
    row('Flag of the module', 'Type', 'Default', 'What it is'),
    '|---|---|---|---|',
    ...reference.constructorArguments.map((argument) =>
      row(`\`--${argument.flag}\``, argument.type, defaultCell(argument), argument.description),
    ),
  ].join('\n');
}

function argumentCell(argument: Argument): string {
  const shown = argument.optional ? defaultCell(argument) : 'required';
  return `\`--${argument.flag}\` ${argument.type} (${shown}): ${argument.description}`;
}

function defaultCell(argument: Argument): string {
  if (argument.defaultPath !== undefined) return `\`${argument.defaultPath}\` of the repository`;
  if (argument.defaultValue === undefined || argument.defaultValue === '[]') return 'none';
  return `\`${argument.defaultValue.replaceAll('"', '')}\``;
}
