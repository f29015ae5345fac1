import { PIECES } from './fake-openai.ts';
import { event, events, FakeServer, json } from './fake-server.ts';

const HEAD = { modelVersion: 'gemini-2.5-flash', responseId: 'resp01' };
const USAGE = { promptTokenCount: 11, cachedContentTokenCount: 5, promptTokensDetails: [] };

/** Google's Gemini API, as its reference describes it. */
export function startGoogle(): Promise<FakeServer> {
  return FakeServer.start((asked, reply) => {
    const { path, body } = asked;
    if (path.startsWith('/v1beta/models?')) return json(MODELS)(asked, reply);
    if (path.endsWith(':generateContent')) return json(generated(body))(asked, reply);
    if (path.endsWith(':streamGenerateContent?alt=sse')) return events(generatedEvents(body))(asked, reply);
    if (path.endsWith(':batchEmbedContents')) {
      const { requests } = body as { requests: unknown[] };
      return json({ embeddings: requests.map(() => ({ values: [0.5, -0.25, 0.125] })) })(asked, reply);
    }
    return json(fault(404, 'NOT_FOUND', 'Not found'), 404)(asked, reply);
  });
}

export function fault(code: number, status: string, message: string): object {
  return { error: { code, message, status, details: [] } };
}

const MODELS = {
  models: [
    { name: 'models/gemini-2.5-flash', supportedGenerationMethods: ['generateContent', 'countTokens'] },
    { name: 'models/gemini-embedding-001', supportedGenerationMethods: ['embedContent'] },
    { name: 'models/imagen-4', supportedGenerationMethods: ['predict'] },
  ],
};

const CALLS = [
  { functionCall: { name: 'weather', args: { city: 'Rome' } }, thoughtSignature: 'c2lnbmVk' },
  { functionCall: { name: 'clock', args: {} } },
];

function candidate(parts: object[], finishReason?: string): object {
  return { content: { parts, role: 'model' }, index: 0, ...(finishReason ? { finishReason } : {}) };
}

function generated({ tools }: Record<string, unknown>): object {
  const parts = tools ? CALLS : [{ text: 'I think.', thought: true }, { text: PIECES.join('') }];
  const usageMetadata = { ...USAGE, candidatesTokenCount: 3, thoughtsTokenCount: 1, totalTokenCount: 15 };
  return { ...HEAD, candidates: [candidate(parts, 'STOP')], usageMetadata };
}

/** The events of a streamed answer, one a text. */
export function generatedEvents({ tools }: Record<string, unknown>): string[] {
  const pieces: object[][] = tools ? [CALLS] : PIECES.map((text) => [{ text }]);
  return pieces.map((parts, index) => {
    const isLast = index === pieces.length - 1;
    const usageMetadata = {
      ...USAGE,
      candidatesTokenCount: isLast ? 3 : index + 1,
      ...(isLast ? { thoughtsTokenCount: 1 } : {}),
    };
    return event({ ...HEAD, candidates: [candidate(parts, isLast ? 'STOP' : undefined)], usageMetadata });
  });
}
