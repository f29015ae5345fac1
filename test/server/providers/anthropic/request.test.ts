import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { messagesRequest } from '../../../../src/server/providers/anthropic/request.ts';
import { ChatRequest } from '../../../../src/server/providers/chat-request.ts';
import { refusalOf } from '../refusal.ts';

const HI = { role: 'user', content: 'Hi' };
const HI_TURN = { role: 'user', content: [{ type: 'text', text: 'Hi' }] };
const PNG = 'data:image/png;base64,iVBORw0KGgo=';
const TOOL = {
  type: 'function',
  function: { name: 'f', description: 'does', parameters: { type: 'object', properties: {} } },
};
const call = (id: string, args: string) => ({
  id,
  type: 'function',
  function: { name: 'f', arguments: args },
});

/** What goes to Anthropic. */
function sent(request: object): Record<string, unknown> {
  const parsed = ChatRequest.parse({ model: 'x', messages: [HI], ...request });
  return { ...messagesRequest(parsed, 'claude-x') };
}

describe('what Anthropic is sent', () => {
  const cases: readonly [string, object, object][] = [
    [
      'the model and a limit, which it demands',
      {},
      { model: 'claude-x', max_tokens: 8192, messages: [HI_TURN] },
    ],
    ['the limit of the client', { max_tokens: 5 }, { max_tokens: 5 }],
    ['the newer name of the limit counts', { max_tokens: 5, max_completion_tokens: 6 }, { max_tokens: 6 }],
    [
      'sampling',
      { temperature: 0, top_p: 0.5, stop: 'a' },
      { temperature: 0, top_p: 0.5, stop_sequences: ['a'] },
    ],
    ['several stops', { stop: ['a', 'b'] }, { stop_sequences: ['a', 'b'] }],
    ['a stream', { stream: true }, { stream: true }],
    ['the user', { user: 'u-1' }, { metadata: { user_id: 'u-1' } }],
    [
      'all instructions in front, in their order',
      {
        messages: [
          { role: 'system', content: 'a' },
          HI,
          { role: 'developer', content: [{ type: 'text', text: 'b', cache_control: { type: 'ephemeral' } }] },
        ],
      },
      {
        system: [
          { type: 'text', text: 'a' },
          { type: 'text', text: 'b', cache_control: { type: 'ephemeral' } },
        ],
        messages: [HI_TURN],
      },
    ],
    [
      'pictures within the request and by link',
      {
        messages: [
          {
            role: 'user',
            content: [
              { type: 'text', text: 'See' },
              { type: 'image_url', image_url: { url: PNG, detail: 'low' } },
              { type: 'image_url', image_url: { url: 'https://example.com/a.png' } },
            ],
          },
        ],
      },
      {
        messages: [
          {
            role: 'user',
            content: [
              { type: 'text', text: 'See' },
              { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'iVBORw0KGgo=' } },
              { type: 'image', source: { type: 'url', url: 'https://example.com/a.png' } },
            ],
          },
        ],
      },
    ],
    [
      'a PDF',
      {
        messages: [
          {
            role: 'user',
            content: [{ type: 'file', file: { file_data: 'data:application/pdf;base64,JVBERg==' } }],
          },
        ],
      },
      {
        messages: [
          {
            role: 'user',
            content: [
              {
                type: 'document',
                source: { type: 'base64', media_type: 'application/pdf', data: 'JVBERg==' },
              },
            ],
          },
        ],
      },
    ],
    [
      'calls, and their results in one turn',
      {
        messages: [
          HI,
          { role: 'assistant', content: 'Let me see', tool_calls: [call('1', '{"a":1}'), call('2', '')] },
          { role: 'tool', tool_call_id: '1', content: 'one' },
          { role: 'tool', tool_call_id: '2', content: [{ type: 'text', text: 'two' }] },
          { role: 'user', content: 'Well?' },
        ],
      },
      {
        messages: [
          HI_TURN,
          {
            role: 'assistant',
            content: [
              { type: 'text', text: 'Let me see' },
              { type: 'tool_use', id: '1', name: 'f', input: { a: 1 } },
              { type: 'tool_use', id: '2', name: 'f', input: {} },
            ],
          },
          {
            role: 'user',
            content: [
              { type: 'tool_result', tool_use_id: '1', content: 'one' },
              { type: 'tool_result', tool_use_id: '2', content: [{ type: 'text', text: 'two' }] },
              { type: 'text', text: 'Well?' },
            ],
          },
        ],
      },
    ],
    [
      'no empty text, which it refuses',
      {
        messages: [
          HI,
          { role: 'assistant', content: '', tool_calls: [call('1', '{}')] },
          { role: 'user', content: '' },
        ],
      },
      {
        messages: [
          HI_TURN,
          { role: 'assistant', content: [{ type: 'tool_use', id: '1', name: 'f', input: {} }] },
        ],
      },
    ],
    [
      'a refusal of its own as text',
      { messages: [HI, { role: 'assistant', content: null, refusal: 'No' }] },
      { messages: [HI_TURN, { role: 'assistant', content: [{ type: 'text', text: 'No' }] }] },
    ],
    [
      'tools, chosen by the model',
      { tools: [TOOL] },
      {
        tools: [{ name: 'f', description: 'does', input_schema: { type: 'object', properties: {} } }],
        tool_choice: { type: 'auto' },
      },
    ],
    [
      'a strict tool without parameters',
      { tools: [{ type: 'function', function: { name: 'f', strict: true } }] },
      { tools: [{ name: 'f', input_schema: { type: 'object' }, strict: true }] },
    ],
    ['some tool', { tools: [TOOL], tool_choice: 'required' }, { tool_choice: { type: 'any' } }],
    [
      'no tool',
      { tools: [TOOL], tool_choice: 'none', parallel_tool_calls: false },
      { tool_choice: { type: 'none' } },
    ],
    [
      'one tool, one at a time',
      {
        tools: [TOOL],
        tool_choice: { type: 'function', function: { name: 'f' } },
        parallel_tool_calls: false,
      },
      { tool_choice: { type: 'tool', name: 'f', disable_parallel_tool_use: true } },
    ],
    [
      'JSON by a schema',
      { response_format: { type: 'json_schema', json_schema: { name: 's', schema: { type: 'object' } } } },
      { output_config: { format: { type: 'json_schema', schema: { type: 'object' } } } },
    ],
    ['effort', { reasoning_effort: 'minimal' }, { output_config: { effort: 'low' } }],
    ['no effort', { reasoning_effort: 'none' }, { thinking: { type: 'disabled' } }],
    [
      'what asks for nothing',
      { n: 1, logprobs: false, logit_bias: {}, presence_penalty: 0, modalities: ['text'] },
      {},
    ],
    ['a hint that it lacks is left out', { seed: 1, store: true, metadata: { a: 'b' } }, {}],
  ];
  for (const [name, request, expected] of cases) {
    test(name, () => {
      const body = sent(request);
      assert.deepEqual({ ...body, ...expected }, body);
      for (const member of ['seed', 'store', 'n', 'logprobs']) assert.equal(member in body, false);
    });
  }

  test('JSON mode is asked for in words', () => {
    const { system } = sent({ response_format: { type: 'json_object' } });
    assert.match(JSON.stringify(system), /one valid JSON object/);
  });
});

describe('refused, by the name of the parameter', () => {
  const part = (content: object) => ({ messages: [{ role: 'user', content: [content] }] });
  const cases: readonly [string, object, string][] = [
    ['several answers', { n: 2 }, 'n'],
    ['a temperature above 1', { temperature: 1.5 }, 'temperature'],
    ['probabilities', { logprobs: true }, 'logprobs'],
    ['a bias', { logit_bias: { 5: 1 } }, 'logit_bias'],
    ['a presence penalty', { presence_penalty: 0.5 }, 'presence_penalty'],
    ['a frequency penalty', { frequency_penalty: -0.5 }, 'frequency_penalty'],
    ['speech', { modalities: ['text', 'audio'] }, 'modalities'],
    ['functions of old', { functions: [{ name: 'f' }] }, 'functions'],
    ['a prediction', { prediction: { type: 'content', content: 'x' } }, 'prediction'],
    ['a web search', { web_search_options: { user_location: null } }, 'web_search_options'],
    [
      'audio',
      part({ type: 'input_audio', input_audio: { data: 'AA==', format: 'wav' } }),
      'messages[0].content[0]',
    ],
    [
      'a picture by plain HTTP',
      part({ type: 'image_url', image_url: { url: 'http://169.254.169.254/' } }),
      'messages[0].content[0].image_url.url',
    ],
    [
      'a file of the machine',
      part({ type: 'image_url', image_url: { url: 'file:///etc/passwd' } }),
      'messages[0].content[0].image_url.url',
    ],
    [
      'a picture of another type',
      part({ type: 'image_url', image_url: { url: 'data:image/tiff;base64,AA==' } }),
      'messages[0].content[0].image_url.url',
    ],
    [
      'a picture that is not base64',
      part({ type: 'image_url', image_url: { url: 'data:image/png,AA' } }),
      'messages[0].content[0].image_url.url',
    ],
    [
      'a file elsewhere',
      part({ type: 'file', file: { file_id: 'file-1' } }),
      'messages[0].content[0].file.file_id',
    ],
    [
      'arguments that are no JSON object',
      { messages: [{ role: 'assistant', tool_calls: [call('1', '[1]')] }] },
      'messages[0].tool_calls[0].function.arguments',
    ],
  ];
  for (const [name, request, param] of cases) {
    test(name, () => {
      const refusal = refusalOf(() => sent(request));
      assert.equal(refusal.status, 400);
      assert.equal(refusal.param, param);
      assert.ok(refusal.message.includes(`'${param}'`), refusal.message);
    });
  }
});
