import { PIECES } from './fake-openai.ts';
import { event, events, FakeServer, json } from './fake-server.ts';

const HEAD = { id: 'msg_01', type: 'message', role: 'assistant', model: 'claude-sonnet-4-5-20250929' };
const INPUT = { input_tokens: 4, cache_creation_input_tokens: 2, cache_read_input_tokens: 5 };

/** Anthropic, as its API reference describes it. */
export function startAnthropic(): Promise<FakeServer> {
  return FakeServer.start((asked, reply) => {
    if (asked.path.startsWith('/v1/models')) return json(MODELS)(asked, reply);
    if (asked.path !== '/v1/messages') return json(fault('not_found_error', 'Not found'), 404)(asked, reply);
    return (asked.body.stream ? events(messageEvents(asked.body)) : json(message(asked.body)))(asked, reply);
  });
}

export function fault(type: string, text: string): object {
  return { type: 'error', error: { type, message: text }, request_id: 'req_1' };
}

const MODELS = {
  data: [
    { type: 'model', id: 'claude-sonnet-4-5', display_name: 'Claude', created_at: '2025-09-29T00:00:00Z' },
  ],
  has_more: false,
  first_id: 'claude-sonnet-4-5',
  last_id: 'claude-sonnet-4-5',
};

const CALLS = [
  { type: 'tool_use', id: 'toolu_a', name: 'weather', input: { city: 'Rome' } },
  { type: 'tool_use', id: 'toolu_b', name: 'clock', input: {} },
];

function message({ tools }: Record<string, unknown>): object {
  const content = tools ? CALLS : [{ type: 'text', text: PIECES.join('') }];
  return {
    ...HEAD,
    content,
    stop_reason: tools ? 'tool_use' : 'end_turn',
    stop_sequence: null,
    usage: { ...INPUT, output_tokens: 4 },
  };
}

/** The events of a streamed answer, one a text. */
export function messageEvents({ tools }: Record<string, unknown>): string[] {
  const start = {
    ...HEAD,
    content: [],
    stop_reason: null,
    stop_sequence: null,
    usage: { ...INPUT, output_tokens: 1 },
  };
  const blocks = tools
    ? CALLS.flatMap(({ input, ...call }, index) => {
        const text = JSON.stringify(input);
        const pieces = text === '{}' ? [''] : ['', text.slice(0, 5), text.slice(5)];
        return block(
          index,
          { ...call, input: {} },
          pieces.map((partial_json) => ({ type: 'input_json_delta', partial_json })),
        );
      })
    : block(
        0,
        { type: 'text', text: '' },
        PIECES.map((text) => ({ type: 'text_delta', text })),
      );
  const list = [
    { type: 'message_start', message: start },
    ...blocks.slice(0, 1),
    { type: 'ping' },
    ...blocks.slice(1),
    {
      type: 'message_delta',
      delta: { stop_reason: tools ? 'tool_use' : 'end_turn', stop_sequence: null },
      usage: { output_tokens: 4 },
    },
    { type: 'message_stop' },
  ];
  return list.map((data) => event(data, data.type));
}

function block(
  index: number,
  content_block: object,
  deltas: readonly object[],
): ({ type: string } & object)[] {
  return [
    { type: 'content_block_start', index, content_block } as { type: string },
    ...deltas.map((delta) => ({ type: 'content_block_delta', index, delta })),
    { type: 'content_block_stop', index } as { type: string },
  ];
}
