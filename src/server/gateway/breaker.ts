import {
  BrokenCircuitError,
  type CircuitBreakerPolicy,
  CircuitState,
  ConsecutiveBreaker,
  circuitBreaker,
  handleWhen,
} from 'cockatiel';
import type { Target } from '../providers/model-name.ts';
import { UpstreamFailure } from './upstream-failure.ts';

/** How a provider is: well, left alone, or tried again by one request. */
export type BreakerState = 'closed' | 'open' | 'half-open';

/** Leaves a provider alone for a while after a number of outages in a row. */
export class Breaker {
  readonly #policy: CircuitBreakerPolicy;
  readonly #restMs: number;

  /** @param failures after how many in a row; @param restMs for how long */
  constructor(failures: number, restMs: number) {
    this.#restMs = restMs;
    this.#policy = circuitBreaker(
      handleWhen((error) => error instanceof UpstreamFailure && error.isOutage),
      { halfOpenAfter: restMs, breaker: new ConsecutiveBreaker(failures) },
    );
  }

  get state(): BreakerState {
    if (this.#policy.state === CircuitState.Closed) return 'closed';
    return this.#policy.state === CircuitState.HalfOpen ? 'half-open' : 'open';
  }

  /** @throws UpstreamFailure of the kind `open` where the provider is left alone; what `attempt` throws */
  async run<T>(target: Target, attempt: () => Promise<T>): Promise<T> {
    // The library would let all others wait for the one that tries; they may have somewhere else to go.
    if (this.state === 'half-open') throw this.#open(target);
    try {
      return await this.#policy.execute(attempt);
    } catch (error) {
      throw error instanceof BrokenCircuitError ? this.#open(target) : error;
    }
  }

  #open(target: Target): UpstreamFailure {
    return new UpstreamFailure(target, { kind: 'open', message: 'left alone', retryAfterMs: this.#restMs });
  }
}
