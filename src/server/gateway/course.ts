import type { Target } from '../providers/model-name.ts';
import type { ProviderName } from '../providers/provider.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { NO_SPAN, type Span } from '../telemetry/span.ts';
import type { Call, OpenCall, Outcome, Tokens } from '../usage/meter.ts';

/** nginx' status for a client that left before it was answered. */
export const CLIENT_LEFT = 499;

/** What a call has used, and who says so. */
export interface Used {
  readonly tokens?: Tokens;
  readonly measured: Outcome['measured'];
}

/** Source: "Semantic conventions for generative AI" of OpenTelemetry. */
const OPERATIONS = { 'chat.completions': 'chat', responses: 'chat', embeddings: 'embeddings' } as const;
const PROVIDER_NAMES = { openai: 'openai', anthropic: 'anthropic', google: 'gcp.gemini' } as const;

/** The course of one call, from its beginning to the one moment when it is settled. */
export class Course {
  readonly call: Call;
  /** How often a provider was asked. */
  tries = 0;
  /** Whose model was asked last. */
  #target: Target | undefined;
  readonly #open: OpenCall;
  readonly #metrics: Metrics;
  readonly #span: Span;
  /** Of the try that is under way, or was last. */
  #trySpan = NO_SPAN;
  readonly #started = performance.now();
  #firstByteMs: number | undefined;
  #leave: (() => void) | undefined;
  #settled = false;

  /** @param span of the request; the tries become its children */
  constructor(call: Call, open: OpenCall, metrics: Metrics, span: Span) {
    this.call = call;
    this.#open = open;
    this.#metrics = metrics;
    this.#span = span;
  }

  /** @param leave gives the place in the gateway back, once the call is settled */
  entered(leave: () => void): void {
    if (this.#settled) leave();
    else this.#leave = leave;
  }

  /** A provider is asked. */
  try(target: Target): void {
    this.#target = target;
    this.tries++;
    const operation = OPERATIONS[this.call.endpoint];
    this.#trySpan = this.#span.child(`${operation} ${target.model}`, 'client', {
      'gen_ai.operation.name': operation,
      'gen_ai.provider.name': PROVIDER_NAMES[target.provider],
      'gen_ai.request.model': target.model,
      'gen_ai.request.stream': this.call.streamed,
    });
  }

  /** How a try has ended: its answer has begun, or its failure. */
  tried(provider: ProviderName, result: Parameters<Metrics['tried']>[1]): void {
    this.#metrics.tried(provider, result);
    if (result !== 'ok') this.#trySpan.end(String(result));
  }

  /** The provider has begun its answer. */
  answered(): void {
    this.#firstByteMs ??= performance.now() - this.#started;
  }

  /** The end, whatever it is; only its first call counts. */
  settle(status: number, { tokens, measured }: Used): void {
    if (this.#settled) return;
    this.#settled = true;
    const outcome: Outcome = {
      ...(this.#target === undefined
        ? {}
        : { provider: this.#target.provider, upstreamModel: this.#target.model }),
      status,
      ...(tokens === undefined ? {} : { tokens }),
      measured,
      ...(this.#firstByteMs === undefined ? {} : { firstByteMs: this.#firstByteMs }),
      tries: this.tries,
    };
    this.#leave?.();
    this.#trySpan.set({
      'gen_ai.usage.input_tokens': tokens?.input,
      'gen_ai.usage.output_tokens': tokens?.output,
      'gen_ai.usage.cache_read.input_tokens': tokens?.cachedInput,
    });
    this.#trySpan.end(status < 400 ? undefined : String(status));
    this.#open.close(outcome);
    this.#metrics.ended(this.call, outcome, (performance.now() - this.#started) / 1000);
  }
}
