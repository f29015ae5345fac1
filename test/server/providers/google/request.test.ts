import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ChatRequest } from '../../../../src/server/providers/chat-request.ts';
import { generateRequest } from '../../../../src/server/providers/google/request.ts';
import { refusalOf } from '../refusal.ts';

const HI = { role: 'user', content: 'Hi' };
const HI_CONTENT = { role: 'user', parts: [{ text: 'Hi' }] };
const PARAMETERS = { type: 'object', properties: { a: { type: 'string' } } };
const TOOL = { type: 'function', function: { name: 'f', description: 'does', parameters: PARAMETERS } };
const call = (id: string, signature?: string) => ({
  id,
  type: 'function',
  function: { name: 'f', arguments: '{"a":1}' },
  ...(signature ? { extra_content: { google: { thought_signature: signature } } } : {}),
});
const part = (content: object) => ({ messages: [{ role: 'user', content: [content] }] });

/** What goes to Google. */
function sent(request: object, model = 'gemini-2.5-flash'): Record<string, unknown> {
  const parsed = ChatRequest.parse({ model: 'x', messages: [HI], ...request });
  return { ...generateRequest(parsed, model) };
}

describe('what Google is sent', () => {
  const cases: readonly [string, object, object][] = [
    ['no more than there is', {}, { contents: [HI_CONTENT], generationConfig: {} }],
    [
      'sampling',
      {
        max_completion_tokens: 5,
        temperature: 0,
        top_p: 0.5,
        stop: 'a',
        seed: 7,
        n: 2,
        presence_penalty: 0.5,
        frequency_penalty: 0,
      },
      {
        generationConfig: {
          maxOutputTokens: 5,
          temperature: 0,
          topP: 0.5,
          stopSequences: ['a'],
          seed: 7,
          candidateCount: 2,
          presencePenalty: 0.5,
          frequencyPenalty: 0,
        },
      },
    ],
    [
      'all instructions in front',
      { messages: [{ role: 'system', content: 'a' }, HI, { role: 'developer', content: 'b' }] },
      { systemInstruction: { parts: [{ text: 'a' }, { text: 'b' }] }, contents: [HI_CONTENT] },
    ],
    [
      'a picture within the request',
      part({ type: 'image_url', image_url: { url: 'data:image/PNG;base64,AA==' } }),
      { contents: [{ role: 'user', parts: [{ inlineData: { mimeType: 'image/png', data: 'AA==' } }] }] },
    ],
    [
      'a picture by link',
      part({ type: 'image_url', image_url: { url: 'https://example.com/a.WebP?x=1#y' } }),
      {
        contents: [
          {
            role: 'user',
            parts: [{ fileData: { mimeType: 'image/webp', fileUri: 'https://example.com/a.WebP?x=1#y' } }],
          },
        ],
      },
    ],
    [
      'a recording',
      part({ type: 'input_audio', input_audio: { data: 'AA==', format: 'mp3' } }),
      { contents: [{ role: 'user', parts: [{ inlineData: { mimeType: 'audio/mp3', data: 'AA==' } }] }] },
    ],
    [
      'a file',
      part({ type: 'file', file: { file_data: 'data:text/csv;base64,AA==' } }),
      { contents: [{ role: 'user', parts: [{ inlineData: { mimeType: 'text/csv', data: 'AA==' } }] }] },
    ],
    [
      'calls, their signatures, and their results by the name of the function',
      {
        messages: [
          HI,
          { role: 'assistant', content: 'Hm', tool_calls: [call('1', 'sig'), call('2')] },
          { role: 'tool', tool_call_id: '1', content: '{"ok":true}' },
          { role: 'tool', tool_call_id: '2', content: 'sunny' },
        ],
      },
      {
        contents: [
          HI_CONTENT,
          {
            role: 'model',
            parts: [
              { text: 'Hm' },
              { functionCall: { id: '1', name: 'f', args: { a: 1 } }, thoughtSignature: 'sig' },
              { functionCall: { id: '2', name: 'f', args: { a: 1 } } },
            ],
          },
          {
            role: 'user',
            parts: [
              { functionResponse: { id: '1', name: 'f', response: { ok: true } } },
              { functionResponse: { id: '2', name: 'f', response: { output: 'sunny' } } },
            ],
          },
        ],
      },
    ],
    [
      'tools',
      {
        tools: [
          TOOL,
          { type: 'function', function: { name: 'g', parameters: { type: 'object', properties: {} } } },
        ],
      },
      {
        tools: [
          {
            functionDeclarations: [
              { name: 'f', description: 'does', parametersJsonSchema: PARAMETERS },
              { name: 'g' },
            ],
          },
        ],
        toolConfig: { functionCallingConfig: { mode: 'AUTO' } },
      },
    ],
    [
      'strict tools',
      { tools: [{ type: 'function', function: { name: 'f', strict: true } }] },
      { toolConfig: { functionCallingConfig: { mode: 'VALIDATED' } } },
    ],
    [
      'some tool',
      { tools: [TOOL], tool_choice: 'required' },
      { toolConfig: { functionCallingConfig: { mode: 'ANY' } } },
    ],
    [
      'no tool',
      { tools: [TOOL], tool_choice: 'none' },
      { toolConfig: { functionCallingConfig: { mode: 'NONE' } } },
    ],
    [
      'one tool',
      { tools: [TOOL], tool_choice: { type: 'function', function: { name: 'f' } } },
      { toolConfig: { functionCallingConfig: { mode: 'ANY', allowedFunctionNames: ['f'] } } },
    ],
    [
      'JSON mode',
      { response_format: { type: 'json_object' } },
      { generationConfig: { responseMimeType: 'application/json' } },
    ],
    [
      'JSON by a schema',
      { response_format: { type: 'json_schema', json_schema: { schema: PARAMETERS } } },
      { generationConfig: { responseMimeType: 'application/json', responseJsonSchema: PARAMETERS } },
    ],
    [
      'effort as a budget',
      { reasoning_effort: 'low' },
      { generationConfig: { thinkingConfig: { thinkingBudget: 1024 } } },
    ],
  ];
  for (const [name, request, expected] of cases) {
    test(name, () => {
      const body = sent(request);
      assert.deepEqual({ ...body, ...expected }, body);
    });
  }

  test('effort as a level, from Gemini 3 on', () => {
    const { generationConfig } = sent({ reasoning_effort: 'xhigh' }, 'gemini-3-pro');
    assert.deepEqual(generationConfig, { thinkingConfig: { thinkingLevel: 'high' } });
  });

  const lost: readonly [string, string, boolean][] = [
    ['gemini-2.5-pro', 'no signature is needed', false],
    ['gemma-3-27b-it', 'no signature is needed', false],
    ['gemini-3-pro', "Google's way out for clients that lost it", true],
  ];
  for (const [model, name, marked] of lost) {
    test(`${model}: ${name}`, () => {
      const messages = [HI, { role: 'assistant', tool_calls: [call('1'), call('2')] }];
      const text = JSON.stringify(sent({ messages }, model).contents);
      assert.equal(text.split('skip_thought_signature_validator').length - 1, marked ? 1 : 0);
    });
  }
});

describe('refused, by the name of the parameter', () => {
  const cases: readonly [string, object, string][] = [
    ['probabilities', { logprobs: true }, 'logprobs'],
    ['a bias', { logit_bias: { 5: 1 } }, 'logit_bias'],
    ['speech', { modalities: ['audio'] }, 'modalities'],
    ['one call at a time', { tools: [TOOL], parallel_tool_calls: false }, 'parallel_tool_calls'],
    [
      'a picture by plain HTTP',
      part({ type: 'image_url', image_url: { url: 'http://169.254.169.254/' } }),
      'messages[0].content[0].image_url.url',
    ],
    ['a file elsewhere', part({ type: 'file', file: {} }), 'messages[0].content[0].file.file_id'],
    [
      'a result of no call',
      { messages: [HI, { role: 'tool', tool_call_id: 'x', content: '1' }] },
      'messages[1].tool_call_id',
    ],
    [
      'arguments that are no JSON',
      {
        messages: [
          {
            role: 'assistant',
            tool_calls: [{ id: '1', type: 'function', function: { name: 'f', arguments: '{' } }],
          },
        ],
      },
      'messages[0].tool_calls[0].function.arguments',
    ],
  ];
  for (const [name, request, param] of cases) {
    test(name, () => {
      const refusal = refusalOf(() => sent(request));
      assert.equal(refusal.status, 400);
      assert.equal(refusal.param, param);
    });
  }
});
