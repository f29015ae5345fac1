import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { ReleaseError } from '../errors.ts';
import { Config } from './config.ts';

/** The file, in the root of the project. */
export const CONFIG_FILE = 'thoth-release.json';

const SHOWN = 60;

/** A part of the schema, as z.toJSONSchema gives it. */
export interface Node {
  readonly description?: string;
  readonly default?: unknown;
  readonly examples?: readonly unknown[];
  readonly properties?: Readonly<Record<string, Node>>;
  readonly items?: Node;
  readonly anyOf?: readonly Node[];
  readonly additionalProperties?: Node | boolean;
}

/** The schema of the file, for editors and for the reference. */
export function configSchema(): Node {
  return z.toJSONSchema(Config, { io: 'input' }) as Node;
}

/**
 * Reads how a project's image is released; without the file all is at its default.
 *
 * @throws ReleaseError CONFIG_INVALID with every fault at once: its path, and what to write instead
 */
export function readConfig(project: string): Config {
  const path = join(project, CONFIG_FILE);
  const text = readText(path);
  return text === undefined ? Config.parse({}) : parseConfig(text, path);
}

/** @throws ReleaseError CONFIG_INVALID */
export function parseConfig(text: string, path: string): Config {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw invalid(path, [`it is not JSON: ${error instanceof Error ? error.message : error}`]);
  }
  const parsed = Config.safeParse(value);
  if (parsed.success) return parsed.data;
  const schema = configSchema();
  throw invalid(
    path,
    parsed.error.issues.flatMap((issue) => faults(issue, value, schema)),
  );
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return undefined;
    throw invalid(path, [`it can not be read: ${message}`]);
  }
}

/** `start.port: "many" can not stand there. Port it listens on; … Such as: 8080` */
function faults(issue: z.core.$ZodIssue, value: unknown, schema: Node): string[] {
  const path = issue.path.map(String);
  const name = path.join('.') || 'the file';
  const node = documented(schema, path);
  if (issue.code === 'unrecognized_keys') {
    const known = Object.keys(at(schema, path)?.properties ?? {}).filter((key) => key !== '$schema');
    return issue.keys.map(
      (key) => `${[...path, key].join('.')}: there is no such key; there are ${known.join(', ')}`,
    );
  }
  const found = path.reduce<unknown>(
    (part, key) => (part as Record<string, unknown> | undefined)?.[key],
    value,
  );
  const what = issue.code === 'invalid_key' ? 'is no name for it' : 'can not stand there';
  const example = node?.examples?.[0];
  const keys = Object.keys(node?.properties ?? {}).join(', ');
  const instead =
    example !== undefined ? ` Such as: ${JSON.stringify(example)}` : ` It is an object of ${keys}.`;
  return [
    `${name}: ${shown(issue.code === 'invalid_key' ? path.at(-1) : found)} ${what}. ${node?.description ?? ''}${instead}`,
  ];
}

/** The deepest part of the schema on the way to `path` that says what it is. */
function documented(schema: Node, path: readonly string[]): Node | undefined {
  for (let length = path.length; length > 0; length -= 1) {
    const node = at(schema, path.slice(0, length));
    if (node?.examples !== undefined || (node?.description !== undefined && length === path.length))
      return node;
  }
  return { description: 'It must be an object.', examples: [{ repository: 'ada/greeter' }] };
}

function at(schema: Node, path: readonly string[]): Node | undefined {
  let nodes: readonly Node[] = [schema];
  for (const key of path) {
    nodes = nodes
      .flatMap((node) => [node, ...(node.anyOf ?? [])])
      .flatMap(({ properties, items, additionalProperties }) => {
        const rest = typeof additionalProperties === 'object' ? additionalProperties : undefined;
        return [properties?.[key] ?? (/^\d+$/.test(key) ? items : undefined) ?? rest];
      })
      .filter((node) => node !== undefined);
  }
  return nodes.find((node) => node.properties !== undefined || node.examples !== undefined) ?? nodes[0];
}

function shown(value: unknown): string {
  const text = value === undefined ? 'nothing' : JSON.stringify(value);
  return text.length <= SHOWN ? text : `${text.slice(0, SHOWN)}…`;
}

function invalid(path: string, details: string[]): ReleaseError {
  return new ReleaseError(
    'CONFIG_INVALID',
    `${path} is not valid.`,
    'Mend what is named below; docs/OWN-IMAGE.md of Thoth has every key. Nothing was done.',
    details,
  );
}
