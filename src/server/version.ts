// Put in place of these names by bundle.mjs. Run from source there is nothing in their place.
declare const THOTH_VERSION: string | undefined;
declare const THOTH_REVISION: string | undefined;

/** The released version without a leading v, such as `1.0.0`; `0.0.0-dev` where nobody released it. */
export const VERSION: string = typeof THOTH_VERSION === 'string' ? THOTH_VERSION : '0.0.0-dev';

/** The git commit it was built from, or `unknown`. */
export const REVISION: string = typeof THOTH_REVISION === 'string' ? THOTH_REVISION : 'unknown';
