/** Where a request stands in a trace of somebody else's. */
export interface Parent {
  readonly traceId: string;
  readonly spanId: string;
  /** Whether that somebody records it. */
  readonly sampled: boolean;
}

const HEADER = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const SAMPLED = 1;

/** Reads a traceparent header; undefined where it is none. Source: W3C Trace Context, 3.2.2. */
export function readTraceparent(header: string | undefined): Parent | undefined {
  const [, version, traceId = '', spanId = '', flags = '', more] = HEADER.exec(header?.trim() ?? '') ?? [];
  const isVersion = version !== undefined && version !== 'ff' && !(version === '00' && more !== undefined);
  if (!isVersion || /^0+$/.test(traceId) || /^0+$/.test(spanId)) return undefined;
  return { traceId, spanId, sampled: (Number.parseInt(flags, 16) & SAMPLED) === SAMPLED };
}
