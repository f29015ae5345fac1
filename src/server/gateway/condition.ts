import { isOwnFault } from './retry.ts';
import type { UpstreamFailure } from './upstream-failure.ts';

/** What was last seen of a provider. Times are milliseconds since 1970. */
export class Condition {
  answeredAt: number | undefined;
  lastError: { readonly at: number; readonly sentence: string } | undefined;

  answered(): void {
    this.answeredAt = Date.now();
  }

  /** A request that was wrong tells nothing of the provider, nor does one that was never sent. */
  failed(failure: UpstreamFailure): void {
    if (isOwnFault(failure) || failure.parts.kind === 'open') return;
    this.lastError = { at: Date.now(), sentence: failure.sentence };
  }
}
