/** What is told of a span. Never a prompt, an answer or a key. */
export type Attributes = Readonly<Record<string, string | number | boolean | undefined>>;

/** Whose work a span is: of this service, or of one that it asks. */
export type SpanKind = 'server' | 'client';

/** A piece of work in a trace. */
export interface Span {
  /** Absent where nothing is traced. */
  readonly traceId?: string;
  /** Begins a piece of this one. */
  child(name: string, kind: SpanKind, attributes?: Attributes): Span;
  set(attributes: Attributes): void;
  /** For a name that is known only later. */
  rename(name: string): void;
  /** Ends it; only the first call counts. @param error the kind of failure, if it is one */
  end(error?: string): void;
}

export interface Tracer {
  /** Begins a span. @param traceparent the header of that name, if there is one */
  begin(name: string, kind: SpanKind, traceparent: string | undefined, attributes?: Attributes): Span;
  /** Sends what is left. */
  close(): Promise<void>;
}

/** A span of nothing. */
export const NO_SPAN: Span = {
  child: () => NO_SPAN,
  set: () => undefined,
  rename: () => undefined,
  end: () => undefined,
};

/** Traces nothing. */
export const NO_TRACER: Tracer = { begin: () => NO_SPAN, close: async () => undefined };
