import { type Asked, event, events, FakeServer, json } from './fake-server.ts';

/** What its models say, in pieces. */
export const PIECES = ['Hel', 'lo', ' wor', 'ld'];
export const USAGE = {
  prompt_tokens: 11,
  completion_tokens: 4,
  total_tokens: 15,
  prompt_tokens_details: { cached_tokens: 5 },
};
const HEAD = { id: 'chatcmpl-1', created: 1_700_000_000, model: 'gpt-4o-2024-08-06' };

/** OpenAI, as its API reference describes it. @param host the address it listens on */
export function startOpenAi(host?: string): Promise<FakeServer> {
  return FakeServer.start((asked, reply) => {
    if (asked.path === '/v1/models') return json(MODELS)(asked, reply);
    if (asked.path === '/v1/embeddings') return json(embeddingsOf(asked))(asked, reply);
    if (asked.path === '/v1/responses') {
      return (asked.body.stream ? events(responseEvents()) : json(RESPONSE))(asked, reply);
    }
    if (asked.path !== '/v1/chat/completions') return json(fault('Unknown request URL'), 404)(asked, reply);
    return (asked.body.stream ? events(chatEvents(asked.body)) : json(chatAnswer(asked.body)))(asked, reply);
  }, host);
}

export function fault(message: string, parts: object = {}): object {
  return { error: { message, type: 'invalid_request_error', param: null, code: null, ...parts } };
}

const MODELS = {
  object: 'list',
  data: [
    { id: 'gpt-4o', object: 'model', created: 1_715_367_049, owned_by: 'system' },
    { id: 'text-embedding-3-small', object: 'model', created: 1_705_948_997, owned_by: 'system' },
  ],
};

const CALLS = [
  { id: 'call_a', type: 'function', function: { name: 'weather', arguments: '{"city":"Rome"}' } },
  { id: 'call_b', type: 'function', function: { name: 'weather', arguments: '{"city":"Oslo"}' } },
];

function chatAnswer({ tools }: Record<string, unknown>): object {
  const message = tools
    ? { role: 'assistant', content: null, refusal: null, tool_calls: CALLS }
    : { role: 'assistant', content: PIECES.join(''), refusal: null };
  const choice = { index: 0, message, logprobs: null, finish_reason: tools ? 'tool_calls' : 'stop' };
  return { ...HEAD, object: 'chat.completion', choices: [choice], usage: USAGE, service_tier: 'default' };
}

/** The events of a streamed answer, one a text. */
export function chatEvents({ tools, stream_options }: Record<string, unknown>): string[] {
  const withUsage = (stream_options as { include_usage?: boolean } | undefined)?.include_usage === true;
  const chunk = (choices: object[], usage: object | null = null) =>
    event({ ...HEAD, object: 'chat.completion.chunk', choices, ...(withUsage ? { usage } : {}) });
  const piece = (delta: object, finish_reason: string | null = null) =>
    chunk([{ index: 0, delta, logprobs: null, finish_reason }]);
  const said = tools
    ? CALLS.flatMap(({ function: { name, arguments: args }, ...call }, index) => [
        piece({ tool_calls: [{ index, ...call, function: { name, arguments: '' } }] }),
        piece({ tool_calls: [{ index, function: { arguments: args } }] }),
      ])
    : PIECES.map((content) => piece({ content }));
  return [
    piece({ role: 'assistant', content: '' }),
    ...said,
    piece({}, tools ? 'tool_calls' : 'stop'),
    ...(withUsage ? [chunk([], USAGE)] : []),
    event('[DONE]'),
  ];
}

function embeddingsOf({ body }: Asked): object {
  const inputs = Array.isArray(body.input) ? body.input : [body.input];
  const values = [0.5, -0.25, 0.125];
  const embedding =
    body.encoding_format === 'base64'
      ? Buffer.from(Float32Array.from(values).buffer).toString('base64')
      : values;
  return {
    object: 'list',
    data: inputs.map((_, index) => ({ object: 'embedding', index, embedding })),
    model: 'text-embedding-3-small',
    usage: { prompt_tokens: 7, total_tokens: 7 },
  };
}

export const RESPONSE = {
  id: 'resp_1',
  object: 'response',
  created_at: 1_700_000_000,
  status: 'completed',
  model: 'gpt-4o-2024-08-06',
  output: [
    {
      id: 'msg_1',
      type: 'message',
      role: 'assistant',
      status: 'completed',
      content: [{ type: 'output_text', text: PIECES.join(''), annotations: [] }],
    },
  ],
  usage: {
    input_tokens: 11,
    input_tokens_details: { cached_tokens: 5 },
    output_tokens: 4,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: 15,
  },
};

export function responseEvents(): string[] {
  const place = { item_id: 'msg_1', output_index: 0, content_index: 0 };
  const list = [
    { type: 'response.created', response: { ...RESPONSE, status: 'in_progress', output: [], usage: null } },
    ...PIECES.map((delta) => ({ type: 'response.output_text.delta', ...place, delta })),
    { type: 'response.completed', response: RESPONSE },
  ];
  return list.map((data, sequence_number) => event({ ...data, sequence_number }, data.type));
}
