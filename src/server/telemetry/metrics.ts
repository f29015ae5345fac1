import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { BreakerState } from '../gateway/breaker.ts';
import type { FailureKind } from '../gateway/upstream-failure.ts';
import { PROVIDERS, type ProviderName } from '../providers/provider.ts';
import type { Call, Outcome } from '../usage/meter.ts';
import type { Waiting } from '../usage/recorder.ts';

/** Seconds, from an embedding to a long answer of a thinking model. */
const SECONDS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 40, 80, 160, 320, 640];

const STATES: Readonly<Record<BreakerState, number>> = { closed: 0, 'half-open': 1, open: 2 };

/** What can be read off the gateway at any moment. */
export interface Gauges {
  readonly inFlight: () => number;
  readonly queued: () => number;
  readonly breaker: (provider: ProviderName) => BreakerState;
}

/**
 * What the service counts, in Prometheus' text format. No label holds what a client may write freely, such as
 * the name of a model: it could make series without end.
 */
export class Metrics {
  readonly registry = new Registry();
  readonly #requests: Counter<'endpoint' | 'provider' | 'status'>;
  readonly #seconds: Histogram<'endpoint' | 'provider' | 'streamed'>;
  readonly #firstByte: Histogram<'provider'>;
  readonly #tokens: Counter<'provider' | 'kind'>;
  readonly #tries: Counter<'provider' | 'result'>;

  constructor() {
    const registers = [this.registry];
    collectDefaultMetrics({ register: this.registry });
    this.#requests = new Counter({
      name: 'thoth_requests_total',
      help: 'Requests for models, by what the client got; 499 is a client that left.',
      labelNames: ['endpoint', 'provider', 'status'],
      registers,
    });
    this.#seconds = new Histogram({
      name: 'thoth_request_seconds',
      help: 'From a request to the end of its answer.',
      labelNames: ['endpoint', 'provider', 'streamed'],
      buckets: SECONDS,
      registers,
    });
    this.#firstByte = new Histogram({
      name: 'thoth_first_byte_seconds',
      help: 'From a request to the first byte of its answer from the provider.',
      labelNames: ['provider'],
      buckets: SECONDS,
      registers,
    });
    this.#tokens = new Counter({
      name: 'thoth_tokens_total',
      help: 'Tokens: input (with those from a cache), cached_input, output.',
      labelNames: ['provider', 'kind'],
      registers,
    });
    this.#tries = new Counter({
      name: 'thoth_upstream_tries_total',
      help: 'Tries at providers, by result: ok, left (the client did), an HTTP status, or the kind of failure.',
      labelNames: ['provider', 'result'],
      registers,
    });
  }

  /** Adds what is read at the moment of each scrape. */
  watch({ inFlight, queued, breaker }: Gauges): void {
    const registers = [this.registry];
    gauge('thoth_requests_in_flight', 'Requests that are at a provider.', registers, inFlight);
    gauge('thoth_requests_queued', 'Requests that wait for their turn.', registers, queued);
    new Gauge({
      name: 'thoth_breaker_state',
      help: 'How a provider is treated: 0 as usual, 1 tried again by one request, 2 left alone.',
      labelNames: ['provider'],
      registers,
      collect() {
        for (const provider of PROVIDERS) this.set({ provider }, STATES[breaker(provider)]);
      },
    });
  }

  /** Adds what waits to be recorded. */
  watchUsage(waiting: () => Waiting): void {
    const registers = [this.registry];
    gauge('thoth_usage_writable', 'Whether usage can be written: 1, or 0.', registers, () =>
      waiting().writable ? 1 : 0,
    );
    gauge('thoth_usage_waiting', 'Requests that wait to be written to the disk.', registers, () => {
      const { requests, summed } = waiting();
      return requests + summed;
    });
    gauge(
      'thoth_usage_lost',
      'Requests that were not recorded, for too many waited.',
      registers,
      () => waiting().lost,
    );
  }

  /** Counts a try at a provider. */
  tried(provider: ProviderName, result: 'ok' | 'left' | FailureKind | number): void {
    this.#tries.inc({ provider, result: String(result) });
  }

  /** Counts a request that has come to its end. @param seconds it took */
  ended({ endpoint, streamed }: Call, outcome: Outcome, seconds: number): void {
    const { provider = 'none', status, tokens, firstByteMs } = outcome;
    this.#requests.inc({ endpoint, provider, status: String(status) });
    this.#seconds.observe({ endpoint, provider, streamed: String(streamed) }, seconds);
    if (firstByteMs !== undefined) this.#firstByte.observe({ provider }, firstByteMs / 1000);
    if (tokens === undefined) return;
    this.#tokens.inc({ provider, kind: 'input' }, tokens.input);
    this.#tokens.inc({ provider, kind: 'output' }, tokens.output);
    this.#tokens.inc({ provider, kind: 'cached_input' }, tokens.cachedInput ?? 0);
  }
}

function gauge(name: string, help: string, registers: Registry[], read: () => number): void {
  new Gauge({
    name,
    help,
    registers,
    collect() {
      this.set(read());
    },
  });
}
