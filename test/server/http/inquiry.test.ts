import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { Readable } from 'node:stream';
import { after, before, beforeEach, describe, test } from 'node:test';
import { chatEvents } from '../providers/fake-openai.ts';
import { eventsThenSilence, type Reaction, silence } from '../providers/fake-server.ts';
import { Fakes } from '../providers/vendors.ts';
import { Running } from '../running.ts';

const CHAT = '/v1/chat/completions';
const REQUEST = { model: 'gpt-4o', messages: [{ role: 'user', content: 'Hi' }] };
const MEGABYTE = 1024 * 1024;

let fakes: Fakes;
before(async () => {
  fakes = await Fakes.start();
});
after(() => fakes.stop());
beforeEach(() => fakes.reset());

interface Told {
  readonly error: {
    readonly message: string;
    readonly type: string;
    readonly param: string | null;
    readonly code: string;
  };
}

async function told(answer: Response): Promise<Told['error']> {
  return ((await answer.json()) as Told).error;
}

describe('requests that are wrong', () => {
  let running: Running;
  before(async () => {
    running = await Running.start({ ...fakes.settings, MAX_BODY_MB: '1', GOOGLE_API_KEY: '' });
  });
  after(() => running.stop());

  const cases: readonly [string, unknown, number, string, string | null][] = [
    ['no body', '', 400, 'invalid_json', null],
    ['no JSON', '{"model":', 400, 'invalid_json', null],
    ['no object', '[1]', 400, 'invalid_json', null],
    ['no model', {}, 400, 'invalid_value', 'model'],
    ['a model that is no text', { model: 5 }, 400, 'invalid_value', 'model'],
    ['a stream that is no boolean', { ...REQUEST, stream: 'yes' }, 400, 'invalid_value', 'stream'],
    ['an unknown model', { ...REQUEST, model: 'llama' }, 404, 'model_not_found', 'model'],
    ['a model of nobody', { ...REQUEST, model: 'mistral/x' }, 404, 'model_not_found', 'model'],
    ['a provider without a key', { ...REQUEST, model: 'gemini-2.5-pro' }, 404, 'model_not_found', 'model'],
    ['no messages', { model: 'claude-x' }, 400, 'invalid_value', 'messages'],
    [
      'a message of no one',
      { model: 'claude-x', messages: [{ role: 'nobody', content: 'a' }] },
      400,
      'invalid_value',
      'messages[0].role',
    ],
    [
      'a part that is wrong inside',
      { model: 'claude-x', messages: [{ role: 'user', content: [{ type: 'text', text: 5 }] }] },
      400,
      'invalid_value',
      'messages[0].content[0].text',
    ],
    [
      'what the provider can not do',
      { ...REQUEST, model: 'claude-x', n: 2 },
      400,
      'unsupported_parameter',
      'n',
    ],
    ['a body too large', { ...REQUEST, user: 'a'.repeat(MEGABYTE) }, 413, 'request_too_large', null],
  ];
  for (const [name, body, status, code, param] of cases) {
    test(name, async () => {
      const answer = await running.post(CHAT, body);
      assert.equal(answer.status, status);
      const error = await told(answer);
      assert.deepEqual([error.type, error.code, error.param], ['invalid_request_error', code, param]);
      assert.ok(error.message.length > 10);
    });
  }

  test('more text than can be translated', async (context) => {
    const large = await Running.start({ ...fakes.settings, MAX_BODY_MB: '20' });
    context.after(() => large.stop());
    const content = 'some words '.repeat(MEGABYTE);
    const answer = await large.post(CHAT, { model: 'claude-x', messages: [{ role: 'user', content }] });
    assert.deepEqual([answer.status, (await told(answer)).code], [413, 'request_too_large']);
  });

  test('a body too large that does not say so in front', async () => {
    const body = Readable.from(Array.from({ length: 20 }, () => Buffer.alloc(64 * 1024, 'a')));
    const answer = await running.post(CHAT, '', { body, duplex: 'half' } as unknown as RequestInit);
    assert.equal(answer.status, 413);
    assert.equal((await told(answer)).code, 'request_too_large');
  });

  for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/jsonx']) {
    test(`a body of the type ${type}`, async () => {
      const answer = await running.post(CHAT, REQUEST, { headers: { 'content-type': type } });
      assert.equal(answer.status, 415);
      assert.equal((await told(answer)).code, 'unsupported_media_type');
    });
  }

  test('a client that leaves in the middle of its body', async () => {
    const socket = connect(Number(new URL(running.url).port), '127.0.0.1');
    await once(socket, 'connect');
    const head = `POST ${CHAT} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n`;
    socket.end(`${head}{"model"`);
    await new Promise((resolve) => socket.once('close', resolve).resume());
    assert.equal((await running.post(CHAT, REQUEST)).status, 200);
    assert.equal(
      running.lines.some(({ level }) => level === 'error'),
      false,
    );
  });

  test('none of them has gone upstream or was metered as answered', () => {
    assert.equal(running.meter.metered.filter(({ outcome }) => outcome.status === 200).length, 1);
  });
});

test('a large picture reaches every provider whole, by the way it takes', async (context) => {
  const running = await Running.start(fakes.settings);
  context.after(() => running.stop());
  const data = 'iVBORw0K'.repeat(512 * 1024);
  const url = `data:image/png;base64,${data}`;
  const content = [
    { type: 'text', text: 'Was ist das? 日本' },
    { type: 'image_url', image_url: { url } },
  ];
  for (const [name, model, expected] of [
    ['openai', 'gpt-4o', url],
    ['anthropic', 'claude-x', data],
    ['google', 'gemini-2.5-flash', data],
  ] as const) {
    const answer = await running.post(CHAT, { model, messages: [{ role: 'user', content }] });
    assert.equal(answer.status, 200);
    assert.ok(fakes[name].last.text.includes(`"${expected}"`), name);
    assert.ok(fakes[name].last.text.includes('Was ist das? 日本'), name);
  }
});

test('further requests wait, and the line has an end', async (context) => {
  const running = await Running.start({
    ...fakes.settings,
    MAX_CONCURRENT_REQUESTS: '1',
    MAX_QUEUED_REQUESTS: '1',
  });
  context.after(() => running.stop());
  let release = () => {};
  const held: Reaction = async (asked, reply) => {
    await new Promise<void>((resolve) => {
      release = resolve;
    });
    reply.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ id: asked.path }));
  };
  fakes.openai.next(held);
  const arrival = fakes.openai.arrival();
  const first = running.post(CHAT, REQUEST);
  await arrival;
  const second = running.post(CHAT, REQUEST);
  while (!(await metrics(running)).includes('thoth_requests_queued 1'));
  const third = await running.post(CHAT, REQUEST);
  assert.equal(third.status, 503);
  assert.equal(third.headers.get('retry-after'), '1');
  assert.equal((await told(third)).code, 'overloaded');
  assert.match(await metrics(running), /thoth_requests_in_flight 1\n/);
  release();
  assert.deepEqual([(await first).status, (await second).status], [200, 200]);
  await running.meter.settled();
  assert.match(await metrics(running), /thoth_requests_in_flight 0\n/);
});

test('a client that reads slowly slows the provider down, and still gets everything', async (context) => {
  const running = await Running.start(fakes.settings);
  context.after(() => running.stop());
  const piece = `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content: 'a'.repeat(64 * 1024) } }] })}\n\n`;
  const pieces = 600;
  let written = 0;
  fakes.openai.next(async (_asked, reply) => {
    reply.writeHead(200, { 'content-type': 'text/event-stream' });
    for (; written < pieces; written++) if (!reply.write(piece)) await once(reply, 'drain');
    reply.end('data: [DONE]\n\n');
  });
  const answer = await running.post(CHAT, { ...REQUEST, stream: true });
  for (let seen = -1; seen !== written; await new Promise((resolve) => setTimeout(resolve, 200)))
    seen = written;
  assert.ok(written < pieces / 2, `${written} of ${pieces} pieces are somewhere in between`);
  let size = 0;
  for await (const chunk of answer.body ?? []) size += chunk.length;
  assert.equal(size, piece.length * pieces + 'data: [DONE]\n\n'.length);
});

test('a stream is finished when the service stops, and cut off at the limit', async () => {
  const events = chatEvents({});
  let release = () => {};
  fakes.openai.next(
    async (_asked, reply) => {
      reply.writeHead(200, { 'content-type': 'text/event-stream' });
      reply.write(events[0]);
      await new Promise<void>((resolve) => {
        release = resolve;
      });
      reply.end(events.slice(1).join(''));
    },
    eventsThenSilence(events.slice(0, 1)),
  );
  const running = await Running.start(fakes.settings);
  const finishing = await running.post(CHAT, { ...REQUEST, stream: true });
  const drained = running.listener.drain(60_000);
  release();
  assert.match(await finishing.text(), /\[DONE\]/);
  assert.equal(await drained, 0);

  const other = await Running.start(fakes.settings);
  const cut = await other.post(CHAT, { ...REQUEST, stream: true });
  assert.equal(await other.listener.drain(0), 1);
  await assert.rejects(cut.text());
  assert.equal((await other.meter.settled()).outcome.status, 499);
  await Promise.all([running.stop(), other.stop()]);
});

test('metrics count requests, tokens and tries, and name no model', async (context) => {
  const running = await Running.start(fakes.settings);
  context.after(() => running.stop());
  fakes.openai.next((_asked, reply) => void reply.writeHead(500).end());
  await (await running.post(CHAT, REQUEST)).text();
  await running.meter.settled();
  const text = await metrics(running);
  for (const line of [
    'thoth_requests_total{endpoint="chat.completions",provider="openai",status="200"} 1',
    'thoth_tokens_total{provider="openai",kind="input"} 11',
    'thoth_tokens_total{provider="openai",kind="output"} 4',
    'thoth_upstream_tries_total{provider="openai",result="500"} 1',
    'thoth_upstream_tries_total{provider="openai",result="ok"} 1',
    'thoth_request_seconds_count{endpoint="chat.completions",provider="openai",streamed="false"} 1',
    'thoth_breaker_state{provider="openai"} 0',
    'thoth_requests_queued 0',
  ]) {
    assert.ok(text.includes(line), line);
  }
  assert.equal(text.includes('gpt-4o'), false);
});

test('METRICS=off leaves them out', async (context) => {
  const running = await Running.start({ ...fakes.settings, METRICS: 'off' });
  context.after(() => running.stop());
  assert.equal((await fetch(`${running.url}/metrics`)).status, 404);
});

test('a request that nobody waits for any more leaves the line', async (context) => {
  const running = await Running.start({ ...fakes.settings, MAX_CONCURRENT_REQUESTS: '1' });
  context.after(() => running.stop());
  fakes.openai.next(silence);
  const arrival = fakes.openai.arrival();
  const leaving = new AbortController();
  const first = running.post(CHAT, REQUEST, { signal: leaving.signal });
  await arrival;
  const second = running.post(CHAT, REQUEST, { signal: leaving.signal });
  while (!(await metrics(running)).includes('thoth_requests_queued 1'));
  leaving.abort();
  await Promise.allSettled([first, second]);
  await running.meter.settled();
  assert.deepEqual(running.meter.metered.map(({ outcome }) => [outcome.status, outcome.tries]).sort(), [
    [499, 0],
    [499, 1],
  ]);
  assert.equal(fakes.openai.asked.length, 1);
});

async function metrics(running: Running): Promise<string> {
  return await (await fetch(`${running.url}/metrics`)).text();
}
