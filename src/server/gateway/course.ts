import type { Target } from '../providers/model-name.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { Call, OpenCall, Outcome, Tokens } from '../usage/meter.ts';

/** nginx' status for a client that left before it was answered. */
export const CLIENT_LEFT = 499;

/** What a call has used, and who says so. */
export interface Used {
  readonly tokens?: Tokens;
  readonly measured: Outcome['measured'];
}

/** The course of one call, from its beginning to the one moment when it is settled. */
export class Course {
  readonly call: Call;
  /** How often a provider was asked. */
  tries = 0;
  /** Whose model was asked last. */
  #target: Target | undefined;
  readonly #open: OpenCall;
  readonly #metrics: Metrics;
  readonly #started = performance.now();
  #firstByteMs: number | undefined;
  #leave: (() => void) | undefined;
  #settled = false;

  constructor(call: Call, open: OpenCall, metrics: Metrics) {
    this.call = call;
    this.#open = open;
    this.#metrics = metrics;
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
    this.#open.close(outcome);
    this.#metrics.ended(this.call, outcome, (performance.now() - this.#started) / 1000);
  }
}
