import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { countFaults } from '../../count-faults.ts';
import { eventsThenSilence, silence } from '../providers/fake-server.ts';
import { Fakes, VENDORS } from '../providers/vendors.ts';
import { Running } from '../running.ts';

const LEFT = 'A client that leaves, at any event of its answer';
const MESSAGES = [{ role: 'user' as const, content: 'Hi, who are you?' }];

let fakes: Fakes;
let running: Running;
before(async () => {
  fakes = await Fakes.start();
  running = await Running.start(fakes.settings);
});
after(async () => {
  await running.stop();
  await fakes.stop();
});
beforeEach(() => fakes.reset());

/** Reads a stream until the events that came so far were seen, then leaves. */
async function leaveAfter(model: string, chunks: number): Promise<void> {
  const leaving = new AbortController();
  const body = { model, messages: MESSAGES, stream: true, stream_options: { include_usage: true } };
  const answer = await running.post('/v1/chat/completions', body, { signal: leaving.signal });
  let text = '';
  const reader = answer.body?.getReader();
  while (reader !== undefined && text.split('\n\n').length - 1 < chunks) {
    const { value, done } = await reader.read();
    if (done) break;
    text += Buffer.from(value).toString();
  }
  leaving.abort();
}

for (const { name, model, events } of VENDORS) {
  describe(`a client that leaves ${name}'s stream`, () => {
    const list = events();
    for (const [index, last] of list.entries()) {
      const visible = index + 1 - silentUpTo(name, index);
      if (visible === 0 || index === list.length - 1) continue;
      test(`after event ${index + 1} of ${list.length}: ${last.slice(0, 40).replaceAll('\n', ' ')}`, async (t) => {
        fakes[name].next(eventsThenSilence(list.slice(0, index + 1)));
        await leaveAfter(model, visible);
        const { outcome } = await running.meter.settled();
        assert.equal(await fakes[name].last.left, true, 'the request to the provider is cancelled');
        assert.equal(outcome.status, 499);
        assert.equal(outcome.provider, name);
        assert.ok(outcome.tokens !== undefined && outcome.tokens.input > 0);
        countFaults(t, LEFT, 1, { 'requests not counted': Number(outcome.tokens === undefined) });
        const said = outcome.tokens.output;
        assert.ok(said >= 0 && said <= 4, `${said} tokens`);
        if (outcome.measured === 'provider') assert.deepEqual([outcome.tokens.input, said], [11, 4]);
      });
    }

    for (const streamed of [true, false]) {
      test(`before an answer, ${streamed ? 'streamed' : 'whole'}`, async (t) => {
        fakes[name].next(silence);
        const arrival = fakes[name].arrival();
        const leaving = new AbortController();
        const body = { model, messages: MESSAGES, stream: streamed };
        const asking = running.post('/v1/chat/completions', body, { signal: leaving.signal });
        await arrival;
        leaving.abort();
        await assert.rejects(asking);
        const { outcome } = await running.meter.settled();
        assert.equal(await fakes[name].last.left, true);
        assert.deepEqual([outcome.status, outcome.measured, outcome.tokens?.output], [499, 'estimate', 0]);
        assert.equal(fakes[name].asked.length, 1);
        countFaults(t, LEFT, 1, { 'requests not counted': Number(outcome.tokens === undefined) });
      });
    }
  });
}

/** How many of the events up to this one show the client nothing: Anthropic's frame its answer in some. */
function silentUpTo(name: string, index: number): number {
  if (name !== 'anthropic') return 0;
  const kinds = VENDORS.find((vendor) => vendor.name === name)
    ?.events()
    .slice(0, index + 1)
    .filter((text) => /^event: (ping|content_block_start|content_block_stop|message_stop)/.test(text));
  return kinds?.length ?? 0;
}
