import { ApiError } from '../http/api-error.ts';

/** Clients are asked to come back after this many seconds: most answers begin sooner. */
const COME_BACK_SECONDS = 1;

interface Limits {
  /** How many may be inside. */
  readonly inside: number;
  /** How many may wait outside. */
  readonly waiting: number;
  readonly longestWaitMs: number;
}

/** Lets a number of requests in at a time; the others wait in line, and the line has an end. */
export class Gate {
  readonly #limits: Limits;
  /** Those who wait, the first first. */
  readonly #line = new Set<() => void>();
  #inside = 0;

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  get inside(): number {
    return this.#inside;
  }

  get waiting(): number {
    return this.#line.size;
  }

  /**
   * Waits for a place inside.
   *
   * @param signal gives the wait up
   * @returns what gives the place back; only its first call counts
   * @throws ApiError 503 where the line is full or the wait too long; the signal's reason
   */
  async enter(signal: AbortSignal): Promise<() => void> {
    signal.throwIfAborted();
    if (this.#inside < this.#limits.inside) this.#inside++;
    else await this.#wait(signal);
    let left = false;
    return () => {
      if (!left) this.#leave();
      left = true;
    };
  }

  #wait(signal: AbortSignal): Promise<void> {
    if (this.#line.size >= this.#limits.waiting) throw busy('too many requests wait already');
    return new Promise((resolve, reject) => {
      const end = () => {
        this.#line.delete(enter);
        clearTimeout(timer);
        signal.removeEventListener('abort', giveUp);
      };
      const enter = () => {
        end();
        resolve();
      };
      const giveUp = () => {
        end();
        reject(signal.reason);
      };
      const timer = setTimeout(() => {
        end();
        reject(busy('its turn did not come in time'));
      }, this.#limits.longestWaitMs);
      signal.addEventListener('abort', giveUp);
      this.#line.add(enter);
    });
  }

  /** The place goes to the first in line, if there is one. */
  #leave(): void {
    const [first] = this.#line;
    if (first === undefined) this.#inside--;
    else first();
  }
}

function busy(reason: string): ApiError {
  return new ApiError(503, {
    code: 'overloaded',
    message: `The gateway is busy: ${reason}. Try again later.`,
    retryAfter: COME_BACK_SECONDS,
  });
}
