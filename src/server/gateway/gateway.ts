import { setTimeout as after } from 'node:timers/promises';
import type { Logger } from 'pino';
import { ApiError } from '../http/api-error.ts';
import { PROVIDER_BY_NAME } from '../providers/catalogue.ts';
import { estimatedTokens } from '../providers/estimate.ts';
import type { JsonMembers } from '../providers/json-members.ts';
import { nameOf, type Target } from '../providers/model-name.ts';
import { type Answer, type Exchange, MalformedAnswer, type ProviderName } from '../providers/provider.ts';
import type { Settings } from '../settings/schema.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { Span } from '../telemetry/span.ts';
import type { Call, Meter } from '../usage/meter.ts';
import { Breaker, type BreakerState } from './breaker.ts';
import { Condition } from './condition.ts';
import { CLIENT_LEFT, Course, type Used } from './course.ts';
import { Gate } from './gate.ts';
import { Relay } from './relay.ts';
import { againAfterMs, isOwnFault } from './retry.ts';
import { type Upstream, wholeOf } from './upstream.ts';
import { UpstreamFailure } from './upstream-failure.ts';

/** What a client asks for, and of whom. */
export interface Inquiry {
  readonly call: Call;
  readonly kind: 'chat' | 'embeddings' | 'responses';
  readonly request: JsonMembers;
  /** The model, then those that stand in for it. */
  readonly targets: readonly [Target, ...Target[]];
  /** Tokens of the input, and the most that the answer may have. */
  readonly estimate: { readonly input: number; readonly maxOutput: number };
  /** Of the request it came with. */
  readonly span: Span;
}

/** What the client gets. */
export interface Reply {
  readonly body: Uint8Array | string | ReadableStream<Uint8Array>;
  readonly streamed: boolean;
  /** Who answered, as `openai/gpt-4o`. */
  readonly answeredBy: string;
}

interface Parts {
  readonly settings: Settings;
  readonly upstream: Upstream;
  readonly meter: Meter;
  readonly metrics: Metrics;
  readonly logger: Logger;
}

/** Takes requests to the providers: one after the other, as often as makes sense, and never more than they bear. */
export class Gateway {
  readonly #meter: Meter;
  readonly #metrics: Metrics;
  readonly #logger: Logger;
  readonly #retries: number;
  readonly #upstream: Upstream;
  readonly #gate: Gate;
  readonly #breakers: Readonly<Record<ProviderName, Breaker>>;
  readonly #conditions: Readonly<Record<ProviderName, Condition>> = {
    openai: new Condition(),
    anthropic: new Condition(),
    google: new Condition(),
  };

  constructor({ settings, upstream, meter, metrics, logger }: Parts) {
    this.#meter = meter;
    this.#logger = logger;
    this.#metrics = metrics;
    this.#retries = settings.UPSTREAM_RETRIES;
    this.#upstream = upstream;
    this.#gate = new Gate({
      inside: settings.MAX_CONCURRENT_REQUESTS,
      waiting: settings.MAX_QUEUED_REQUESTS,
      longestWaitMs: settings.QUEUE_SECONDS * 1000,
    });
    const breaker = () => new Breaker(settings.BREAKER_FAILURES, settings.BREAKER_SECONDS * 1000);
    this.#breakers = { openai: breaker(), anthropic: breaker(), google: breaker() };
    metrics.watch({
      inFlight: () => this.#gate.inside,
      queued: () => this.#gate.waiting,
      breaker: (provider) => this.#breakers[provider].state,
    });
  }

  /** How a provider is, as far as requests have shown it. */
  condition(provider: ProviderName): Pick<Condition, 'answeredAt' | 'lastError'> & { state: BreakerState } {
    const { answeredAt, lastError } = this.#conditions[provider];
    return { state: this.#breakers[provider].state, answeredAt, lastError };
  }

  /**
   * Has a request answered.
   *
   * @param signal the client has left
   * @throws ApiError where it can not be; the signal's reason
   */
  async ask(inquiry: Inquiry, signal: AbortSignal): Promise<Reply> {
    const { call, estimate, span } = inquiry;
    const course = new Course(call, this.#meter.open(call, estimate), this.#metrics, span);
    try {
      course.entered(await this.#gate.enter(signal));
      return await this.#askAny(inquiry, course, signal);
    } catch (error) {
      const answer = error instanceof UpstreamFailure ? error.toApiError() : error;
      if (signal.aborted) course.settle(CLIENT_LEFT, unanswered(inquiry, course));
      else course.settle(answer instanceof ApiError ? answer.status : 500, { measured: 'provider' });
      throw answer;
    }
  }

  /** Asks one model after the other. Where none answers, it is the first one's failure that counts. */
  async #askAny(inquiry: Inquiry, course: Course, signal: AbortSignal): Promise<Reply> {
    let first: UpstreamFailure | undefined;
    for (const target of inquiry.targets) {
      try {
        return await this.#askOne(inquiry, target, course, signal);
      } catch (error) {
        const isFailure = error instanceof UpstreamFailure;
        if (first === undefined && (!isFailure || isOwnFault(error))) throw error;
        // A stand-in that can't do what the request asks for says so by an ApiError.
        if (!isFailure && !(error instanceof ApiError)) throw error;
        if (isFailure) first ??= error;
      }
    }
    throw first;
  }

  /** Asks one model, again where that makes sense. */
  async #askOne(inquiry: Inquiry, target: Target, course: Course, signal: AbortSignal): Promise<Reply> {
    const exchange = PROVIDER_BY_NAME[target.provider][inquiry.kind](inquiry.request, target.model);
    for (let tries = 1; ; tries++) {
      try {
        return await this.#tryOnce(inquiry, target, exchange, course, signal);
      } catch (error) {
        if (!(error instanceof UpstreamFailure)) throw error;
        const { kind, status, code } = error.parts;
        const line = { requestId: inquiry.call.requestId, target: nameOf(target), kind, status, code };
        this.#logger.warn(line, 'a try at a provider failed');
        const afterMs = againAfterMs(error, tries, this.#retries, Math.random());
        if (afterMs === undefined) throw error;
        await after(afterMs, undefined, { signal }).catch(() => signal.throwIfAborted());
      }
    }
  }

  async #tryOnce(
    inquiry: Inquiry,
    target: Target,
    exchange: Exchange,
    course: Course,
    signal: AbortSignal,
  ): Promise<Reply> {
    const { provider } = target;
    try {
      const reply = await this.#breakers[provider].run(target, () => {
        course.try(target);
        return this.#exchange(inquiry, target, exchange, course, signal);
      });
      course.tried(provider, 'ok');
      this.#conditions[provider].answered();
      return reply;
    } catch (error) {
      if (signal.aborted) course.tried(provider, 'left');
      else if (error instanceof UpstreamFailure) {
        course.tried(provider, error.parts.status ?? error.parts.kind);
        this.#conditions[provider].failed(error);
      }
      throw error;
    }
  }

  async #exchange(
    { estimate, kind }: Inquiry,
    target: Target,
    { path, body, read, readStream }: Exchange,
    course: Course,
    signal: AbortSignal,
  ): Promise<Reply> {
    const streamed = readStream !== undefined;
    const incoming = await this.#upstream.send({ path, body, streamed }, target, signal);
    course.answered();
    const answeredBy = nameOf(target);
    if (readStream !== undefined) {
      const relay = new Relay(incoming, readStream(), target, signal);
      await relay.begin();
      return { body: relay.run(course, estimate.input), streamed, answeredBy };
    }
    const whole = await wholeOf(incoming, target, signal);
    const answer = readWhole(read, whole, target);
    const output = kind === 'embeddings' ? 0 : estimatedTokens(whole.length);
    course.settle(
      200,
      answer.tokens === undefined
        ? { tokens: { input: estimate.input, output }, measured: 'estimate' }
        : { tokens: answer.tokens, measured: 'provider' },
    );
    return { body: answer.body, streamed, answeredBy };
  }
}

function readWhole(read: Exchange['read'], body: Buffer, target: Target): Answer {
  try {
    return read(body);
  } catch (error) {
    if (!(error instanceof MalformedAnswer)) throw error;
    throw new UpstreamFailure(target, { kind: 'malformed', message: error.message });
  }
}

/** A client that leaves before the answer may still have cost its input. */
function unanswered({ estimate }: Inquiry, { tries }: Course): Used {
  if (tries === 0) return { measured: 'provider' };
  return { tokens: { input: estimate.input, output: 0 }, measured: 'estimate' };
}
