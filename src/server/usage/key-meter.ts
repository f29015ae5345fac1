import type { Logger } from 'pino';
import { ApiError } from '../http/api-error.ts';
import type { Allowances } from '../limits/allowances.ts';
import type { Refused } from '../limits/refused.ts';
import type { Call, Meter, OpenCall, Outcome, Tokens } from './meter.ts';
import type { Nanos } from './money.ts';
import { costOf, type Prices } from './prices.ts';
import type { Recorder } from './recorder.ts';

/** A client may write anything as a model's name. */
const LONGEST_NAME = 200;
const CLIENT_LEFT = 499;

export interface MeterParts {
  readonly allowances: Allowances;
  readonly prices: Prices;
  readonly recorder: Recorder;
  readonly logger: Logger;
  /** Where a model's name may lead, as `provider/name`: the first choice and those it falls back on. */
  readonly routes: (model: string) => readonly string[];
  readonly now?: () => number;
}

/** Meters calls against the limits of their keys, and records them. */
export class KeyMeter implements Meter {
  readonly #parts: MeterParts;
  readonly #now: () => number;

  constructor(parts: MeterParts) {
    this.#parts = parts;
    this.#now = parts.now ?? Date.now;
  }

  open(call: Call, estimate: { readonly input: number; readonly maxOutput: number }): OpenCall {
    const started = this.#now();
    const allowance = this.#parts.allowances.of(call.caller.keyId);
    const tokens = { input: estimate.input, output: estimate.maxOutput };
    const cost = allowance.hasBudget ? this.#mostOf(call.model, tokens) : 0;
    const settle = allowance.reserve({ tokens: tokens.input + tokens.output, cost }, started);
    if (typeof settle !== 'function') {
      this.#record(call, started, { status: 429, measured: 'provider', tries: 0 });
      throw refusal(settle);
    }
    let closed = false;
    return {
      close: (outcome) => {
        if (closed) return;
        closed = true;
        const spent = this.#record(call, started, outcome);
        settle({ tokens: usedTokens(outcome, tokens), cost: spent ?? 0 }, this.#now());
      },
    };
  }

  /** @returns the cost; `null` where it is not known */
  #record(call: Call, started: number, outcome: Outcome): Nanos | null {
    const { tokens } = outcome;
    const cost = this.#costOf(outcome);
    try {
      this.#parts.recorder.record({
        request_id: call.requestId,
        key_id: call.caller.keyId,
        endpoint: call.endpoint,
        model: call.model.slice(0, LONGEST_NAME),
        provider: outcome.provider ?? null,
        upstream_model: outcome.upstreamModel?.slice(0, LONGEST_NAME) ?? null,
        status: outcome.status,
        streamed: call.streamed ? 1 : 0,
        input_tokens: tokens?.input ?? null,
        output_tokens: tokens?.output ?? null,
        cached_tokens: tokens?.cachedInput ?? null,
        cost,
        measured: outcome.measured,
        ms: Math.round(this.#now() - started),
        first_byte_ms: outcome.firstByteMs === undefined ? null : Math.round(outcome.firstByteMs),
        tries: outcome.tries,
      });
    } catch (error) {
      this.#parts.logger.error({ err: error, requestId: call.requestId }, 'a request was not recorded');
    }
    return cost;
  }

  #costOf({ tokens, tries, status, provider, upstreamModel }: Outcome): Nanos | null {
    if (tokens === undefined) return tries === 0 || isFailure(status) ? 0 : null;
    if (provider === undefined || upstreamModel === undefined) return null;
    const price = this.#parts.prices.of(`${provider}/${upstreamModel}`);
    return price === undefined ? null : costOf(price, tokens);
  }

  /**
   * The most that a request may cost.
   *
   * @throws ApiError where no price is known: a budget could not be kept
   */
  #mostOf(model: string, tokens: Tokens): Nanos {
    const costs = this.#parts.routes(model).flatMap((route) => {
      const price = this.#parts.prices.of(route);
      return price === undefined ? [] : [costOf(price, tokens)];
    });
    if (costs.length > 0) return Math.max(...costs);
    throw new ApiError(403, {
      code: 'price_unknown',
      message:
        'This key has a budget, and the price of this model is not known. Ask the operator to add it to PRICES_FILE.',
      param: 'model',
    });
  }
}

/** Providers charge for no answer that is an error; where the client left, they may. */
function isFailure(status: number): boolean {
  return status >= 400 && status !== CLIENT_LEFT;
}

/** What counts against the limit a minute; where nobody told, the estimate does. */
function usedTokens({ tokens, status, tries }: Outcome, estimate: Tokens): number {
  if (tokens !== undefined) return tokens.input + tokens.output;
  return tries === 0 || isFailure(status) ? 0 : estimate.input + estimate.output;
}

/** OpenAI's clients wait as told and try again, but for a budget that is spent. */
function refusal({ kind, message, waitMs }: Refused): ApiError {
  return new ApiError(429, {
    code: kind === 'insufficient_quota' ? kind : 'rate_limit_exceeded',
    type: kind,
    message,
    retryAfter: Math.ceil(waitMs / 1000),
  });
}
