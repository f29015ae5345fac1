/** That a key's limit is reached. */
export interface Refused {
  /** OpenAI's types of 429: `requests` and `tokens` are limits a minute, `insufficient_quota` is the budget. */
  readonly kind: 'requests' | 'tokens' | 'insufficient_quota';
  readonly message: string;
  /** How long until it may succeed. */
  readonly waitMs: number;
}
