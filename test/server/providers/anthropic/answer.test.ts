import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { readMessage } from '../../../../src/server/providers/anthropic/answer.ts';
import { MessageStream } from '../../../../src/server/providers/anthropic/stream.ts';
import { MalformedAnswer } from '../../../../src/server/providers/provider.ts';
import { StreamFault } from '../../../../src/server/providers/stream-reader.ts';

const MESSAGE = {
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  model: 'claude-x',
  content: [{ type: 'text', text: 'Hi' }],
  stop_reason: 'end_turn',
  usage: { input_tokens: 3, output_tokens: 2 },
};

/** What the client gets. */
function answered(change: object) {
  const { body, tokens } = readMessage(Buffer.from(JSON.stringify({ ...MESSAGE, ...change })), 1700);
  return { answer: JSON.parse(String(body)) as Record<string, unknown>, tokens };
}

test('a whole answer', () => {
  assert.deepEqual(answered({}), {
    answer: {
      id: 'msg_1',
      object: 'chat.completion',
      created: 1700,
      model: 'claude-x',
      choices: [
        {
          index: 0,
          message: { role: 'assistant', content: 'Hi', refusal: null },
          logprobs: null,
          finish_reason: 'stop',
        },
      ],
      usage: {
        prompt_tokens: 3,
        completion_tokens: 2,
        total_tokens: 5,
        prompt_tokens_details: { cached_tokens: 0 },
        completion_tokens_details: { reasoning_tokens: 0 },
      },
    },
    tokens: { input: 3, output: 2, cachedInput: 0 },
  });
});

describe('why it ended', () => {
  const cases: readonly [string | null, string][] = [
    ['end_turn', 'stop'],
    ['stop_sequence', 'stop'],
    ['pause_turn', 'stop'],
    ['max_tokens', 'length'],
    ['model_context_window_exceeded', 'length'],
    ['tool_use', 'tool_calls'],
    ['refusal', 'content_filter'],
    ['something new', 'stop'],
    [null, 'stop'],
  ];
  for (const [stop_reason, expected] of cases) {
    test(`${stop_reason}: ${expected}`, () => {
      const { answer } = answered({ stop_reason });
      assert.equal((answer.choices as { finish_reason: string }[])[0]?.finish_reason, expected);
    });
  }
});

test('what was read from the cache, written to it and thought is counted', () => {
  const usage = {
    input_tokens: 3,
    cache_creation_input_tokens: 10,
    cache_read_input_tokens: 20,
    output_tokens: 9,
    output_tokens_details: { thinking_tokens: 4 },
  };
  const { answer, tokens } = answered({ usage });
  assert.deepEqual(tokens, { input: 33, output: 9, cachedInput: 20 });
  assert.deepEqual(answer.usage, {
    prompt_tokens: 33,
    completion_tokens: 9,
    total_tokens: 42,
    prompt_tokens_details: { cached_tokens: 20 },
    completion_tokens_details: { reasoning_tokens: 4 },
  });
});

test('thoughts and blocks that are new are left out', () => {
  const content = [
    { type: 'thinking', thinking: 'Hm', signature: 's' },
    { type: 'something_new' },
    { type: 'text', text: 'Yes' },
    { type: 'text', text: ', please' },
  ];
  const { answer } = answered({ content });
  assert.equal((answer.choices as { message: { content: string } }[])[0]?.message.content, 'Yes, please');
});

describe('no answer of its own', () => {
  const texts = ['', '{', '[]', '{}', JSON.stringify({ ...MESSAGE, content: [{ type: 'text' }] })];
  for (const text of texts) {
    test(JSON.stringify(text.slice(0, 20)), () =>
      assert.throws(() => readMessage(Buffer.from(text), 0), MalformedAnswer),
    );
  }
});

describe('a stream', () => {
  const START = {
    type: 'message_start',
    message: { id: 'msg_1', model: 'claude-x', usage: { input_tokens: 3 } },
  };
  const take = (events: readonly object[]) => {
    const stream = new MessageStream(1700, false);
    for (const event of events) stream.take({ event: undefined, data: JSON.stringify(event) });
    return stream;
  };

  test('events that are new are left out', () => {
    const stream = new MessageStream(1700, false);
    assert.equal(stream.take({ event: 'new', data: '{"type":"new"}' }), '');
  });

  test('the last count of output is the one that holds', () => {
    const delta = (output_tokens: number) => ({ type: 'message_delta', delta: {}, usage: { output_tokens } });
    assert.equal(take([START, delta(1), delta(7)]).usage().output, 7);
  });

  test('counts that are null or absent at the end are those of the beginning', () => {
    const usage = { input_tokens: null, output_tokens: 7 };
    const { input, output } = take([START, { type: 'message_delta', delta: {}, usage }]).usage();
    assert.deepEqual([input, output], [3, 7]);
  });

  test('before the provider has told, nothing is known but what came', () => {
    const { input, final, outputCharacters } = take([]).usage();
    assert.deepEqual([input, final, outputCharacters], [undefined, false, 0]);
  });

  test('thoughts count as output', () => {
    const delta = { type: 'thinking_delta', thinking: 'Hm' };
    const stream = take([START, { type: 'content_block_delta', index: 0, delta }]);
    assert.equal(stream.usage().outputCharacters, 2);
  });

  const faults: readonly [string, number][] = [
    ['overloaded_error', 529],
    ['rate_limit_error', 429],
    ['something_new', 500],
  ];
  for (const [type, status] of faults) {
    test(`an error: ${type} is ${status}`, () => {
      assert.throws(
        () => take([{ type: 'error', error: { type, message: 'x' } }]),
        (error) => error instanceof StreamFault && error.status === status,
      );
    });
  }

  const malformed: readonly [string, string][] = [
    ['no JSON', '{'],
    ['a known event of another shape', '{"type":"content_block_delta","index":0}'],
    [
      'a piece before the beginning',
      '{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"x"}}',
    ],
  ];
  for (const [name, data] of malformed) {
    test(`malformed: ${name}`, () =>
      assert.throws(() => new MessageStream(0, false).take({ event: undefined, data }), MalformedAnswer));
  }
});
