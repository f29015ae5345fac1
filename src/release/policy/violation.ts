import type { Policy } from '../config/config.ts';
import type { Version } from '../versions/version.ts';

/** What an image is checked against besides the policy's own rules. */
export interface Expected {
  readonly platforms: readonly string[];
  readonly version?: Version | undefined;
  /** What the project asks for. */
  readonly policy: Policy;
}

/** One thing an image must be, and is not. `platform` is missing where it is about all of them. */
export interface Violation {
  readonly rule: string;
  readonly platform?: string;
  readonly message: string;
}

const NAMED = 10;

/** The first ten of a list, and how many more there are. */
export function nameSome(names: readonly string[]): string {
  const more = names.length - NAMED;
  return [...names.slice(0, NAMED), ...(more > 0 ? [`and ${more} more`] : [])].join(', ');
}
