import type { Version } from '../versions/version.ts';

/** What an image is checked against besides the policy's own rules. */
export interface Expected {
  readonly platforms: readonly string[];
  readonly version?: Version | undefined;
  /** The most megabytes a platform may have, compressed; the plan's limit unless said otherwise. */
  readonly sizeLimit?: number | undefined;
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
