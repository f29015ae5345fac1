/** What a client key may be used for. `chat` is /v1/chat/completions and /v1/responses. */
export const SCOPES = ['chat', 'embeddings', 'models', 'usage', 'admin'] as const;
export type Scope = (typeof SCOPES)[number];

/** Who made a request: the client key that was accepted. */
export interface Caller {
  readonly keyId: string;
  readonly name: string;
  readonly scopes: ReadonlySet<Scope>;
}
