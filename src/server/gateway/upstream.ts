import { Agent, type Dispatcher } from 'undici';
import { PROVIDER_BY_NAME } from '../providers/catalogue.ts';
import { nameOf, type Target } from '../providers/model-name.ts';
import type { ProviderName } from '../providers/provider.ts';
import type { Settings } from '../settings/schema.ts';
import { VERSION } from '../version.ts';
import { readErrorBody } from './error-body.ts';
import { unknownModel } from './models.ts';
import type { ProviderKeys } from './provider-keys.ts';
import { retryAfterMs } from './retry.ts';
import { type FailureKind, UpstreamFailure } from './upstream-failure.ts';

const CONNECT_WITHIN_MS = 10_000;
/** Idle connections are closed before the provider does it: cloud load balancers wait 60 s or more. */
const KEEP_IDLE_MS = 30_000;
const LARGEST_ANSWER = 64 * 1024 * 1024;
const LARGEST_ERROR = 64 * 1024;

/** A request to a provider. */
export interface Parcel {
  /** Below the provider's base URL. */
  readonly path: string;
  /** Absent: GET in place of POST. */
  readonly body?: Uint8Array | string;
  readonly streamed: boolean;
}

type UpstreamSettings = Pick<
  Settings,
  | 'OPENAI_BASE_URL'
  | 'ANTHROPIC_BASE_URL'
  | 'GOOGLE_BASE_URL'
  | 'UPSTREAM_FIRST_BYTE_SECONDS'
  | 'UPSTREAM_IDLE_SECONDS'
>;

/** Where a provider's server is: a setting, and nothing that a client sends. */
interface Address {
  readonly origin: string;
  /** In front of every path; empty, or without a slash at its end. */
  readonly prefix: string;
}

/** An answer that has begun, with status 200 or another of success. */
export type Incoming = Dispatcher.ResponseData['body'];

/** The HTTP client for the providers. It follows no redirect: that would lead requests and keys elsewhere. */
export class Upstream {
  readonly #agent: Agent;
  readonly #addresses: Readonly<Record<ProviderName, Address>>;
  readonly #keys: ProviderKeys;

  constructor(settings: UpstreamSettings, keys: ProviderKeys) {
    this.#keys = keys;
    this.#addresses = {
      openai: addressOf(settings.OPENAI_BASE_URL),
      anthropic: addressOf(settings.ANTHROPIC_BASE_URL),
      google: addressOf(settings.GOOGLE_BASE_URL),
    };
    this.#agent = new Agent({
      connect: { timeout: CONNECT_WITHIN_MS },
      keepAliveTimeout: KEEP_IDLE_MS,
      headersTimeout: settings.UPSTREAM_FIRST_BYTE_SECONDS * 1000,
      bodyTimeout: settings.UPSTREAM_IDLE_SECONDS * 1000,
    });
  }

  /**
   * Sends a request and waits for its answer to begin.
   *
   * @throws UpstreamFailure where there is none, or one of failure; ApiError 404 where the provider has no key;
   * the signal's reason
   */
  async send({ path, body, streamed }: Parcel, target: Target, signal: AbortSignal): Promise<Incoming> {
    const { origin, prefix } = this.#addresses[target.provider];
    const key = this.#keys.of(target.provider);
    // It was there when the model was looked up: somebody has taken it away since.
    if (key === undefined) throw unknownModel(nameOf(target), target);
    let answer: Dispatcher.ResponseData;
    try {
      answer = await this.#agent.request({
        origin,
        path: prefix + path,
        method: body === undefined ? 'GET' : 'POST',
        headers: {
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          accept: streamed ? 'text/event-stream' : 'application/json',
          'accept-encoding': 'identity',
          'user-agent': `thoth/${VERSION}`,
          ...PROVIDER_BY_NAME[target.provider].headers(key.reveal()),
        },
        body: body ?? null,
        signal,
      });
    } catch (error) {
      signal.throwIfAborted();
      throw transportFailure(error, target, 'connect');
    }
    if (answer.statusCode >= 200 && answer.statusCode < 300) return answer.body;
    throw await statusFailure(answer, target);
  }

  /** Closes all connections. */
  async close(): Promise<void> {
    await this.#agent.destroy();
  }
}

function addressOf(baseUrl: string): Address {
  const { origin, pathname } = new URL(baseUrl);
  return { origin, prefix: pathname === '/' ? '' : pathname };
}

/**
 * The whole of an answer.
 *
 * @throws UpstreamFailure where it breaks off or is too large; the signal's reason
 */
export async function wholeOf(incoming: Incoming, target: Target, signal: AbortSignal): Promise<Buffer> {
  try {
    const whole = await collect(incoming, LARGEST_ANSWER);
    if (whole !== undefined) return whole;
  } catch (error) {
    signal.throwIfAborted();
    throw transportFailure(error, target, 'cut');
  }
  const message = `an answer of over ${LARGEST_ANSWER} bytes`;
  throw new UpstreamFailure(target, { kind: 'malformed', message });
}

/** @returns undefined where there are more than `limit` bytes */
async function collect(incoming: Incoming, limit: number): Promise<Buffer | undefined> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of incoming as AsyncIterable<Uint8Array>) {
    size += chunk.length;
    if (size > limit) return undefined; // leaving the loop ends the connection
    chunks.push(chunk);
  }
  return chunks.length === 1 && chunks[0]
    ? Buffer.from(chunks[0].buffer, chunks[0].byteOffset, size)
    : Buffer.concat(chunks);
}

async function statusFailure({ statusCode, headers, body }: Dispatcher.ResponseData, target: Target) {
  const text = await collect(body, LARGEST_ERROR).catch(() => undefined);
  const wait = retryAfterMs(headers, Date.now());
  const word = headers['x-should-retry'];
  return new UpstreamFailure(target, {
    kind: 'status',
    status: statusCode,
    ...readErrorBody(text?.toString() ?? '', statusCode),
    ...(wait === undefined ? {} : { retryAfterMs: wait }),
    ...(word === 'true' || word === 'false' ? { shouldRetry: word === 'true' } : {}),
  });
}

/** Source: "Errors" of undici's documentation. */
const KINDS: Readonly<Record<string, FailureKind>> = {
  UND_ERR_HEADERS_TIMEOUT: 'timeout',
  UND_ERR_BODY_TIMEOUT: 'timeout',
};

/** @param otherwise the kind of what has no name: whether an answer had begun decides */
export function transportFailure(error: unknown, target: Target, otherwise: FailureKind): UpstreamFailure {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const kind = KINDS[code] ?? otherwise;
  const reason = error instanceof Error ? error.message : 'no reason given';
  return new UpstreamFailure(target, { kind, message: `${nameOf(target)}: ${code || reason}` });
}
