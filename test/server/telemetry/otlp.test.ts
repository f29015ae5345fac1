import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { readTraceparent } from '../../../src/server/telemetry/traceparent.ts';
import { FakeServer, json, silence } from '../providers/fake-server.ts';
import { Fakes } from '../providers/vendors.ts';
import { Running } from '../running.ts';

const CHAT = '/v1/chat/completions';
const REQUEST = { model: 'gpt-4o', messages: [{ role: 'user', content: 'planted prompt' }] };
const TRACE = '0af7651916cd43dd8448eb211c80319c';
const PARENT = 'b7ad6b7169203331';

let fakes: Fakes;
let collector: FakeServer;
before(async () => {
  fakes = await Fakes.start();
  collector = await FakeServer.start(json({}));
});
after(async () => {
  await fakes.stop();
  await collector.stop();
});
beforeEach(() => {
  fakes.reset();
  collector.reset();
});

interface Sent {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly status: { readonly code?: number };
  readonly attributes: readonly { readonly key: string; readonly value: Record<string, unknown> }[];
}

/** Does `work` with a service that sends traces, stops it, and returns the spans that came. */
async function spansOf(work: (running: Running) => Promise<void>): Promise<Sent[]> {
  const running = await Running.start({
    ...fakes.settings,
    UPSTREAM_RETRIES: '1',
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_EXPORTER_OTLP_HEADERS: 'x-api-key=planted%20key,x-other=1',
  });
  await work(running);
  await running.stop();
  return collector.asked.flatMap(({ body }) => {
    const { resourceSpans } = body as { resourceSpans: { scopeSpans: { spans: Sent[] }[] }[] };
    return resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans));
  });
}

function valuesOf({ attributes }: Sent): Record<string, unknown> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));
}

test('a request and its tries, within the trace of the client', async () => {
  fakes.openai.next(json({}, 500));
  const headers = { 'content-type': 'application/json', traceparent: `00-${TRACE}-${PARENT}-01` };
  const spans = await spansOf(async (running) => {
    await (await running.post(CHAT, REQUEST, { headers })).text();
    await running.meter.settled();
    const line = running.lines.find(({ msg }) => msg === 'request');
    assert.equal(line?.traceId, TRACE);
  });
  const [failed, answered, request] = spans;
  assert.ok(failed && answered && request && spans.length === 3);
  for (const span of spans) {
    assert.equal(span.traceId, TRACE);
    assert.match(span.spanId, /^[0-9a-f]{16}$/);
    assert.ok(BigInt(span.startTimeUnixNano) <= BigInt(span.endTimeUnixNano));
    assert.ok(Math.abs(Number(BigInt(span.endTimeUnixNano) / 1_000_000n) - Date.now()) < 60_000);
  }
  assert.deepEqual([request.name, request.kind, request.parentSpanId], [`POST ${CHAT}`, 2, PARENT]);
  assert.deepEqual([failed.parentSpanId, answered.parentSpanId], [request.spanId, request.spanId]);
  assert.deepEqual([failed.name, failed.kind, failed.status.code], ['chat gpt-4o', 3, 2]);
  assert.deepEqual([request.status, answered.status], [{}, {}]);
  assert.equal(valuesOf(failed)['error.type'], '500');
  assert.deepEqual(valuesOf(answered), {
    'gen_ai.operation.name': 'chat',
    'gen_ai.provider.name': 'openai',
    'gen_ai.request.model': 'gpt-4o',
    'gen_ai.request.stream': false,
    'gen_ai.usage.input_tokens': '11',
    'gen_ai.usage.output_tokens': '4',
    'gen_ai.usage.cache_read.input_tokens': '5',
  });
  const { 'thoth.request_id': id, ...rest } = valuesOf(request);
  assert.equal(typeof id, 'string');
  assert.deepEqual(rest, {
    'http.request.method': 'POST',
    'url.path': CHAT,
    'http.response.status_code': '200',
    'http.route': CHAT,
  });
  const { last } = collector;
  assert.equal(last.path, '/v1/traces');
  assert.deepEqual([last.headers['x-api-key'], last.headers['x-other']], ['planted key', '1']);
  assert.equal(last.text.includes('planted prompt'), false);
});

test('a trace of its own where the client has none, and none where the client records none', async () => {
  const spans = await spansOf(async (running) => {
    const headers = { 'content-type': 'application/json', traceparent: `00-${TRACE}-${PARENT}-00` };
    await (await running.post(CHAT, REQUEST, { headers })).text();
    await (await running.post(CHAT, { ...REQUEST, stream: true })).text();
    await fetch(`${running.url}/health`);
  });
  assert.equal(spans.length, 2);
  assert.equal(new Set(spans.map(({ traceId }) => traceId)).size, 1);
  assert.notEqual(spans[0]?.traceId, TRACE);
});

test('a client that leaves is an error of neither side', async () => {
  fakes.openai.next(silence);
  const spans = await spansOf(async (running) => {
    const leaving = new AbortController();
    const arrival = fakes.openai.arrival();
    const asking = running.post(CHAT, REQUEST, { signal: leaving.signal });
    await arrival;
    leaving.abort();
    await assert.rejects(asking);
    await running.meter.settled();
  });
  assert.deepEqual(spans.map((span) => valuesOf(span)['error.type']).sort(), ['left', 'left']);
});

test('a collector that is down costs a warning and no request', async () => {
  collector.next(json({}, 503));
  let lines: Record<string, unknown>[] = [];
  await spansOf(async (running) => {
    assert.equal((await running.post(CHAT, REQUEST)).status, 200);
    lines = running.lines;
  });
  const line = lines.find(({ msg }) => String(msg).startsWith('traces were lost'));
  assert.deepEqual([line?.level, line?.reason], ['warn', 'HTTP status 503']);
});

describe('traceparent', () => {
  const cases: readonly [string, boolean | undefined][] = [
    [`00-${TRACE}-${PARENT}-01`, true],
    [`00-${TRACE}-${PARENT}-00`, false],
    [`00-${TRACE}-${PARENT}-03`, true],
    [`cc-${TRACE}-${PARENT}-01-what-comes-later`, true],
    [`00-${TRACE}-${PARENT}-01-more`, undefined],
    [`ff-${TRACE}-${PARENT}-01`, undefined],
    [`00-${'0'.repeat(32)}-${PARENT}-01`, undefined],
    [`00-${TRACE}-${'0'.repeat(16)}-01`, undefined],
    [`00-${TRACE.toUpperCase()}-${PARENT}-01`, undefined],
    ['', undefined],
  ];
  for (const [header, sampled] of cases) {
    test(header, () => assert.equal(readTraceparent(header)?.sampled, sampled));
  }
});
