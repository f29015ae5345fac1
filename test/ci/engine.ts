import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  type ArgumentNode,
  type FieldNode,
  Kind,
  parse,
  type SelectionSetNode,
  type ValueNode,
} from 'graphql';

/** One call of the engine's API, as in `withExec(args: [...])`. An argument that is an object is its chain. */
export interface Step {
  readonly field: string;
  readonly args: Readonly<Record<string, unknown>>;
}

/** The calls that lead to an object, from the root on. */
export type Chain = readonly Step[];

/** Answers the last call of a chain; `undefined` leaves it to the engine's own answer. */
export type Answer = (chain: Chain) => unknown;

/** A command that fails, as the engine reports it. */
export class ExecFailed extends Error {
  readonly exitCode: number;
  readonly stderr: string;
  constructor(exitCode: number, stderr: string) {
    super(`exit code: ${exitCode}`);
    this.exitCode = exitCode;
    this.stderr = stderr;
  }
}

/**
 * Stands in for the Dagger engine: speaks its GraphQL, records every call, does nothing. It says what a
 * module asks for; whether a real engine can do it is what ci/test-engine.sh shows.
 */
export class RecordingEngine {
  /** Every chain that was evaluated, in order; `id` alone evaluates nothing. */
  evaluated: Chain[] = [];
  /** Every GraphQL document received. */
  documents: string[] = [];
  answer: Answer = () => undefined;
  readonly #objects = new Map<string, Chain>();
  #server: Server | undefined;

  /** Listens on a free loopback port. @returns the port */
  async start(): Promise<number> {
    const server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        response.setHeader('content-type', 'application/json');
        response.end(JSON.stringify(this.#handle(Buffer.concat(chunks).toString())));
      });
    });
    this.#server = server;
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    return (server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    this.#server?.closeAllConnections();
    await new Promise<void>((done) => this.#server?.close(() => done()) ?? done());
  }

  /** Every object that was ever identified, in order. */
  get identified(): Chain[] {
    return [...this.#objects.values()];
  }

  /** The calls that lead to an object that was identified. */
  chainOf(id: string): Chain {
    return this.#objects.get(id) ?? [];
  }

  /** The identifier of an object, as the engine would hand it to a function. */
  identify(chain: Chain): string {
    const id = `id-${this.#objects.size}`;
    this.#objects.set(id, chain);
    return id;
  }

  #handle(body: string): unknown {
    const { query } = JSON.parse(body) as { query: string };
    this.documents.push(query);
    const [definition] = parse(query).definitions;
    if (definition?.kind !== Kind.OPERATION_DEFINITION) return { errors: [{ message: 'no operation' }] };
    try {
      return { data: this.#select(definition.selectionSet, []) };
    } catch (error) {
      if (!(error instanceof ExecFailed)) return { errors: [{ message: String(error) }] };
      const extensions = {
        _type: 'EXEC_ERROR',
        cmd: ['fake'],
        exitCode: error.exitCode,
        stdout: '',
        stderr: error.stderr,
      };
      return { data: null, errors: [{ message: `process did not complete: ${error.message}`, extensions }] };
    }
  }

  #select(set: SelectionSetNode, chain: Chain): Record<string, unknown> {
    const result: Record<string, unknown> = {};
    for (const selection of set.selections) {
      if (selection.kind === Kind.INLINE_FRAGMENT) {
        Object.assign(result, this.#select(selection.selectionSet, chain));
      } else if (selection.kind === Kind.FIELD) {
        result[selection.name.value] = this.#field(selection, chain);
      }
    }
    return result;
  }

  #field(node: FieldNode, parent: Chain): unknown {
    const args = Object.fromEntries(
      (node.arguments ?? []).map((arg) => [arg.name.value, this.#argument(arg)]),
    );
    const chain: Chain =
      node.name.value === 'node' && Array.isArray(args.id)
        ? (args.id as Chain)
        : [...parent, { field: node.name.value, args }];
    if (node.selectionSet !== undefined) {
      // The lists of objects that a module asks for here: the ports of a service, or of an image.
      const ports = ['ports', 'exposedPorts'].includes(node.name.value);
      const list = this.answer(chain) ?? (ports ? [chain] : undefined);
      if (Array.isArray(list)) return list.map((entry: Chain) => ({ id: this.identify(entry) }));
      return this.#select(node.selectionSet, chain);
    }
    if (node.name.value === 'id') return this.identify(parent);
    this.evaluated.push(chain);
    const answered = this.answer(chain);
    if (answered !== undefined) return answered;
    if (['sync', 'start', 'stop'].includes(node.name.value)) return this.identify(parent);
    const own = { exitCode: 0, exists: true, port: 5000, defaultPlatform: 'linux/amd64', version: 'v0.21.9' };
    return own[node.name.value as keyof typeof own] ?? '';
  }

  #argument(node: ArgumentNode): unknown {
    return this.#value(node.value);
  }

  #value(value: ValueNode): unknown {
    switch (value.kind) {
      case Kind.STRING:
        return this.#objects.get(value.value) ?? value.value;
      case Kind.INT:
        return Number(value.value);
      case Kind.BOOLEAN:
        return value.value;
      case Kind.ENUM:
        return value.value;
      case Kind.LIST:
        return value.values.map((entry) => this.#value(entry));
      case Kind.OBJECT:
        return Object.fromEntries(value.fields.map((field) => [field.name.value, this.#value(field.value)]));
      default:
        throw new Error(`a value of kind ${value.kind} was not expected`);
    }
  }
}
