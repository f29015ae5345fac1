import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { readGenerated } from '../../../../src/server/providers/google/answer.ts';
import { embedRequest, readEmbedded } from '../../../../src/server/providers/google/embeddings.ts';
import { google } from '../../../../src/server/providers/google/provider.ts';
import { GenerateStream } from '../../../../src/server/providers/google/stream.ts';
import { JsonMembers } from '../../../../src/server/providers/json-members.ts';
import { MalformedAnswer } from '../../../../src/server/providers/provider.ts';
import { StreamFault } from '../../../../src/server/providers/stream-reader.ts';
import { refusalOf } from '../refusal.ts';

const candidate = (parts: object[], finishReason = 'STOP') => ({
  content: { parts, role: 'model' },
  finishReason,
});

interface Choice {
  readonly index: number;
  readonly message: { readonly content: string | null; readonly tool_calls?: readonly object[] };
  readonly finish_reason: string;
}

/** What the client gets. */
function answered(response: object): { choices: Choice[]; usage: object; model: string; id: string } {
  const { body } = readGenerated(Buffer.from(JSON.stringify(response)), 'gemini-x', 1700);
  return JSON.parse(String(body));
}

describe('why it ended', () => {
  const cases: readonly [string | undefined, object[], string][] = [
    ['STOP', [{ text: 'a' }], 'stop'],
    ['STOP', [{ functionCall: { name: 'f' } }], 'tool_calls'],
    ['MAX_TOKENS', [{ text: 'a' }], 'length'],
    ['MAX_TOKENS', [{ functionCall: { name: 'f' } }], 'length'],
    ['SAFETY', [], 'content_filter'],
    ['RECITATION', [], 'content_filter'],
    ['PROHIBITED_CONTENT', [], 'content_filter'],
    ['SOMETHING_NEW', [{ text: 'a' }], 'stop'],
  ];
  for (const [reason, parts, expected] of cases) {
    test(`${reason}: ${expected}`, () => {
      assert.equal(answered({ candidates: [candidate(parts, reason)] }).choices[0]?.finish_reason, expected);
    });
  }

  test('a prompt that is refused', () => {
    const { choices } = answered({ promptFeedback: { blockReason: 'SAFETY' } });
    assert.deepEqual(choices, [
      {
        index: 0,
        message: { role: 'assistant', content: null, refusal: null },
        logprobs: null,
        finish_reason: 'content_filter',
      },
    ]);
  });
});

test('several answers', () => {
  const { choices } = answered({
    candidates: [candidate([{ text: 'a' }]), { ...candidate([{ text: 'b' }]), index: 1 }],
  });
  assert.deepEqual(
    choices.map(({ index, message }) => [index, message.content]),
    [
      [0, 'a'],
      [1, 'b'],
    ],
  );
});

test('calls get ids that tell them apart, and keep those they have', () => {
  const parts = [{ functionCall: { name: 'f' } }, { functionCall: { name: 'f', id: 'own', args: { a: 1 } } }];
  const { choices } = answered({ responseId: 'r1', candidates: [candidate(parts)] });
  assert.deepEqual(choices[0]?.message.tool_calls, [
    { id: 'call_r1_0', type: 'function', function: { name: 'f', arguments: '{}' } },
    { id: 'own', type: 'function', function: { name: 'f', arguments: '{"a":1}' } },
  ]);
});

test('thoughts and what tools have read are counted', () => {
  const usageMetadata = {
    promptTokenCount: 10,
    toolUsePromptTokenCount: 5,
    cachedContentTokenCount: 4,
    candidatesTokenCount: 3,
    thoughtsTokenCount: 2,
  };
  const { usage } = answered({ candidates: [candidate([{ text: 'a' }])], usageMetadata });
  assert.deepEqual(usage, {
    prompt_tokens: 15,
    completion_tokens: 5,
    total_tokens: 20,
    prompt_tokens_details: { cached_tokens: 4 },
    completion_tokens_details: { reasoning_tokens: 2 },
  });
});

test('no answer of its own', () => {
  for (const text of ['', '[]', '{}', '{"candidates":[]}', '{"candidates":[{"content":{"parts":"x"}}]}']) {
    assert.throws(() => readGenerated(Buffer.from(text), 'x', 0), MalformedAnswer, text);
  }
});

describe('a stream', () => {
  const take = (...events: readonly object[]) => {
    const stream = new GenerateStream('gemini-x', 1700, false);
    const text = events
      .map((event) => stream.take({ event: undefined, data: JSON.stringify(event) }))
      .join('');
    return { stream, text };
  };

  test('is whole when each of its candidates has ended', () => {
    const begun = take({ candidates: [{ index: 0 }, { index: 1, finishReason: 'STOP' }] });
    assert.equal(begun.stream.complete, false);
    const whole = take(
      { candidates: [{ index: 0 }, { index: 1, finishReason: 'STOP' }] },
      { candidates: [{ finishReason: 'STOP' }] },
    );
    assert.equal(whole.stream.complete, true);
  });

  test('a prompt that is refused', () => {
    const { stream, text } = take({ promptFeedback: { blockReason: 'SAFETY' } });
    assert.match(text, /"finish_reason":"content_filter"/);
    assert.equal(stream.complete, true);
  });

  test('thoughts are not shown, and count as output', () => {
    const { stream, text } = take({ candidates: [{ content: { parts: [{ text: 'Hmm', thought: true }] } }] });
    assert.equal(text.includes('Hmm'), false);
    assert.equal(stream.usage().outputCharacters, 3);
  });

  test('an error', () => {
    assert.throws(
      () => take({ error: { code: 503, message: 'busy', status: 'UNAVAILABLE' } }),
      (error) => error instanceof StreamFault && error.status === 503,
    );
  });
});

describe('embeddings', () => {
  const request = { model: 'x', input: ['a', 'b'], dimensions: 3 };
  const body = Buffer.from(
    '{"embeddings":[{"values":[0.5,-1]},{"values":[2,0]}],"usageMetadata":{"promptTokenCount":9}}',
  );

  test('a request a text', () => {
    assert.deepEqual(embedRequest(request, 'models/m'), {
      requests: ['a', 'b'].map((text) => ({
        model: 'models/m',
        content: { parts: [{ text }] },
        outputDimensionality: 3,
      })),
    });
  });

  for (const encoding_format of ['float', 'base64'] as const) {
    test(`vectors as ${encoding_format}`, () => {
      const { body: text, tokens } = readEmbedded(body, { ...request, encoding_format }, 'm');
      const { data } = JSON.parse(String(text)) as { data: { embedding: number[] | string }[] };
      const vectors = data.map(({ embedding }) =>
        typeof embedding === 'string'
          ? [...new Float32Array(Uint8Array.from(Buffer.from(embedding, 'base64')).buffer)]
          : embedding,
      );
      assert.deepEqual(vectors, [
        [0.5, -1],
        [2, 0],
      ]);
      assert.deepEqual(tokens, { input: 9, output: 0 });
    });
  }

  test('tokens in place of texts are refused', () => {
    assert.equal(refusalOf(() => embedRequest({ model: 'x', input: [1, 2] }, 'models/m')).param, 'input');
  });
});

test('the name of a model stays one part of the path', () => {
  const request = new JsonMembers(Buffer.from('{"model":"x","messages":[{"role":"user","content":"a"}]}'));
  const paths = ['a?b#c', 'tunedModels/mine', 'm:countTokens'].map(
    (model) => google.chat(request, model).path,
  );
  assert.deepEqual(paths, [
    '/v1beta/models/a%3Fb%23c:generateContent',
    '/v1beta/tunedModels/mine:generateContent',
    '/v1beta/models/m%3AcountTokens:generateContent',
  ]);
});
