import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { APIError } from 'openai';
import { countFaults } from '../../count-faults.ts';
import { chatEvents } from '../providers/fake-openai.ts';
import {
  breakOff,
  eventsThenBreak,
  eventsThenSilence,
  json,
  type Reaction,
  raw,
  silence,
} from '../providers/fake-server.ts';
import { Fakes, VENDORS } from '../providers/vendors.ts';
import { Running } from '../running.ts';

const MESSAGES = [{ role: 'user' as const, content: 'Hi' }];

let fakes: Fakes;
let running: Running;
before(async () => {
  fakes = await Fakes.start();
  running = await Running.start({
    ...fakes.settings,
    UPSTREAM_RETRIES: '1',
    UPSTREAM_FIRST_BYTE_SECONDS: '1',
    UPSTREAM_IDLE_SECONDS: '1',
    BREAKER_FAILURES: '1000',
  });
});
after(async () => {
  await running.stop();
  await fakes.stop();
});
beforeEach(() => fakes.reset());

/** What the client is told. */
async function refusal(work: Promise<unknown>): Promise<APIError> {
  try {
    await work;
  } catch (error) {
    if (error instanceof APIError) return error;
    throw error;
  }
  throw new assert.AssertionError({ message: 'it was not refused' });
}

const REDIRECT: Reaction = (_asked, reply) =>
  void reply.writeHead(307, { location: 'http://127.0.0.1:9/' }).end();

for (const { name, model, fault, events } of VENDORS) {
  describe(name, () => {
    const ask = () => running.client().chat.completions.create({ model, messages: MESSAGES });
    const askStream = () =>
      running.client().chat.completions.create({ model, messages: MESSAGES, stream: true });

    const passing: readonly [string, Reaction][] = [
      ['429 with Retry-After', json(fault(429), 429, { 'retry-after': '0' })],
      ['500', json(fault(500), 500)],
      ['503', json(fault(503), 503, { 'retry-after': '0' })],
      ['529', json(fault(529), 529, { 'retry-after-ms': '1' })],
      ['a page of HTML from a proxy', raw('<html>', 502, 'text/html')],
      ['a connection that breaks', breakOff],
    ];
    for (const [failure, reaction] of passing) {
      test(`asked again after ${failure}`, async (t) => {
        fakes[name].next(reaction);
        const content = (await ask()).choices[0]?.message.content;
        assert.equal(content, 'Hello world');
        countFaults(t, 'A provider that fails once', 1, { answers: Number(content !== 'Hello world') });
        assert.equal(fakes[name].asked.length, 2);
        assert.equal((await running.meter.settled()).outcome.tries, 2);
      });
    }

    const final: readonly [string, Reaction, status: number, code: string, told: RegExp, tries: number][] = [
      ['429 for a minute', json(fault(429), 429, { 'retry-after': '60' }), 429, '', /failed with 429/, 1],
      ['400', json(fault(400), 400), 400, '', /failed with 400/, 1],
      ['401', json(fault(401), 401), 502, 'provider_key_refused', /refused the key that is set/, 1],
      ['403', json(fault(403), 403), 502, 'provider_key_refused', /refused the key that is set/, 1],
      ['500 again', json(fault(500), 500), 502, 'upstream_error', /failed with 500/, 2],
      ['503 again', json(fault(503), 503, { 'retry-after': '0' }), 503, 'upstream_error', /with 503/, 2],
      [
        '500 that is final by its own word',
        json(fault(500), 500, { 'x-should-retry': 'false' }),
        502,
        'upstream_error',
        /failed with 500/,
        1,
      ],
      ['a redirect', REDIRECT, 502, 'upstream_error', /answered with 307, which is not followed/, 1],
      ['broken JSON', raw('{"choices": [{'), 502, 'upstream_malformed', /can not be read/, 1],
      ['JSON of another shape', raw('[]'), 502, 'upstream_malformed', /can not be read/, 1],
    ];
    for (const [failure, reaction, status, code, told, tries] of final) {
      test(`final: ${failure}`, async () => {
        fakes[name].next(reaction, reaction);
        const error = await refusal(ask());
        assert.equal(error.status, status);
        if (code !== '') assert.equal(error.code, code);
        assert.match(error.message, told);
        assert.equal(error.message.includes('failed with 40'), status === 400);
        assert.equal(fakes[name].asked.length, tries);
        assert.equal(error.headers?.has('retry-after'), status === 429 || status === 503);
        const { outcome } = await running.meter.settled();
        assert.deepEqual([outcome.status, outcome.tries, outcome.tokens], [status, tries, undefined]);
      });
    }

    test('a stream that breaks before its first event is not asked for again: the work may be done', async () => {
      fakes[name].next(eventsThenBreak([]));
      const error = await refusal(askStream());
      assert.equal(error.code, 'upstream_cut');
      assert.equal(fakes[name].asked.length, 1);
    });

    const broken: readonly [string, (texts: readonly string[]) => Reaction, string][] = [
      ['that is cut in the middle', (texts) => eventsThenBreak(texts.slice(0, -3)), 'upstream_cut'],
      [
        'with a broken event',
        (texts) => eventsThenBreak([...texts.slice(0, -3), 'data: {"a\n\n']),
        'upstream_malformed',
      ],
    ];
    for (const [what, reaction, code] of broken) {
      test(`a stream ${what} ends with an error, after what came, and is not asked for again`, async () => {
        fakes[name].next(reaction(events()));
        let text = '';
        const error = await refusal(
          (async () => {
            for await (const { choices } of await askStream()) text += choices[0]?.delta.content ?? '';
          })(),
        );
        assert.equal(error.code, code);
        assert.ok(text.startsWith('Hel'));
        assert.equal(fakes[name].asked.length, 1);
        const { outcome } = await running.meter.settled();
        assert.equal(
          outcome.measured,
          name === 'openai' || name === 'google' ? 'estimate' : outcome.measured,
        );
        assert.ok((outcome.tokens?.output ?? 0) > 0 && (outcome.tokens?.input ?? 0) > 0);
        assert.ok(outcome.status >= 500);
      });
    }
  });
}

// What times out is the connection, whoever is at its end.
test('no first byte in time', async () => {
  fakes.openai.next(silence);
  const ask = running.client().chat.completions.create({ model: 'gpt-4o', messages: MESSAGES });
  const error = await refusal(ask);
  assert.deepEqual([error.status, error.code], [504, 'upstream_timeout']);
  assert.equal(fakes.openai.asked.length, 1);
  assert.equal(await fakes.openai.last.left, true);
});

test('a stream that falls silent', async () => {
  fakes.openai.next(eventsThenSilence(chatEvents({}).slice(0, 3)));
  let text = '';
  const error = await refusal(
    (async () => {
      const request = { model: 'gpt-4o', messages: MESSAGES, stream: true as const };
      for await (const { choices } of await running.client().chat.completions.create(request)) {
        text += choices[0]?.delta.content ?? '';
      }
    })(),
  );
  assert.deepEqual([text, error.code], ['Hello', 'upstream_timeout']);
});

test('quota that is used up is not asked for again', async () => {
  const body = {
    error: { message: 'quota', type: 'insufficient_quota', param: null, code: 'insufficient_quota' },
  };
  fakes.openai.next(json(body, 429));
  const error = await refusal(
    running.client().chat.completions.create({ model: 'gpt-4o', messages: MESSAGES }),
  );
  assert.deepEqual([error.status, error.code, error.type], [429, 'insufficient_quota', 'insufficient_quota']);
  assert.equal(fakes.openai.asked.length, 1);
});

test("an error within Anthropic's stream before its first event is one before an answer", async () => {
  const error =
    'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}\n\n';
  fakes.anthropic.next(eventsThenBreak([error]));
  const model = 'claude-sonnet-4-5';
  const stream = await running.client().chat.completions.create({ model, messages: MESSAGES, stream: true });
  let text = '';
  for await (const { choices } of stream) text += choices[0]?.delta.content ?? '';
  assert.equal(text, 'Hello world');
  assert.equal(fakes.anthropic.asked.length, 2);
});

test('a stream of nothing but its end', async () => {
  fakes.anthropic.next(eventsThenBreak(['event: message_stop\ndata: {"type":"message_stop"}\n\n']));
  const request = {
    model: 'claude-x',
    messages: MESSAGES,
    stream: true as const,
    stream_options: { include_usage: true },
  };
  const error = await refusal(running.client().chat.completions.create(request));
  assert.equal(error.code, 'upstream_malformed');
  assert.equal((await running.meter.settled()).outcome.status, 502);
});

test('a failed try is logged without key and text', async () => {
  fakes.openai.next(json({ error: { message: 'secret text' } }, 500));
  await running.client().chat.completions.create({ model: 'gpt-4o', messages: MESSAGES });
  const line = running.lines.findLast(({ msg }) => msg === 'a try at a provider failed');
  assert.equal(line?.target, 'openai/gpt-4o');
  assert.equal(line?.status, 500);
  assert.equal(JSON.stringify(running.lines).includes('secret text'), false);
});
