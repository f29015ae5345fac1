import type { Call, Meter, OpenCall, Outcome } from '../../src/server/usage/meter.ts';

/** A call that has been metered. */
export interface Metered {
  readonly call: Call;
  readonly outcome: Outcome;
}

/** A meter without limits, which remembers. */
export class RecordingMeter implements Meter {
  readonly metered: Metered[] = [];
  #open = 0;
  readonly #waiting: (() => void)[] = [];

  open(call: Call): OpenCall {
    this.#open++;
    return {
      close: (outcome) => {
        this.#open--;
        this.metered.push({ call, outcome });
        for (const resolve of this.#waiting.splice(0)) resolve();
      },
    };
  }

  /** The call that was closed last, when none is open any more. */
  async settled(): Promise<Metered> {
    while (this.#open > 0) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    const last = this.metered.at(-1);
    if (last === undefined) throw new Error('no call was metered');
    return last;
  }
}
