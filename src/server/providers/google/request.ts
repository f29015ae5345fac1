import type { ChatRequest, FunctionTool } from '../chat-request.ts';
import { refuse, unsupported } from '../request-fault.ts';
import { type Content, conversationOf } from './contents.ts';

/** What Google has no like for. */
export const REFUSED = [
  'audio',
  'function_call',
  'functions',
  'logit_bias',
  'logprobs',
  'prediction',
  'top_logprobs',
  'web_search_options',
] as const;

/** The body of a request to generateContent and streamGenerateContent of the Gemini API, v1beta. */
export interface GenerateRequest {
  readonly contents: readonly Content[];
  readonly systemInstruction?: { readonly parts: readonly { readonly text: string }[] };
  readonly generationConfig: Readonly<Record<string, unknown>>;
  readonly tools?: readonly object[];
  readonly toolConfig?: object;
}

/**
 * Turns a chat completion into a request to Google's Gemini API.
 *
 * @throws ApiError 400 that names what Google can't do
 */
export function generateRequest(request: ChatRequest, model: string): GenerateRequest {
  refuse('google', request, REFUSED);
  if (request.modalities?.some((kind) => kind !== 'text')) throw unsupported('google', 'modalities');
  const { instructions, contents } = conversationOf(request.messages, model);
  return {
    contents,
    ...(instructions.length > 0 ? { systemInstruction: { parts: instructions } } : {}),
    generationConfig: { ...sampling(request), ...formatOf(request), ...thinkingOf(request, model) },
    ...toolsOf(request),
  };
}

function sampling(request: ChatRequest): Record<string, unknown> {
  const { stop, n } = request;
  const stops = typeof stop === 'string' ? [stop] : (stop ?? []);
  return given({
    maxOutputTokens: request.max_completion_tokens ?? request.max_tokens,
    temperature: request.temperature,
    topP: request.top_p,
    seed: request.seed,
    presencePenalty: request.presence_penalty,
    frequencyPenalty: request.frequency_penalty,
    candidateCount: (n ?? 1) > 1 ? n : undefined,
    stopSequences: stops.length > 0 ? stops : undefined,
  });
}

function given(values: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(values).filter(([, value]) => value !== null && value !== undefined),
  );
}

function formatOf({ response_format: format }: ChatRequest): Record<string, unknown> {
  if (!format || format.type === 'text') return {};
  return given({
    responseMimeType: 'application/json',
    responseJsonSchema: format.type === 'json_schema' ? format.json_schema.schema : undefined,
  });
}

/** Gemini 2.5 takes a budget in tokens, later models a level. Source: "OpenAI compatibility" of the Gemini API. */
const BUDGETS = { none: 0, minimal: 1024, low: 1024, medium: 8192, high: 24_576, xhigh: 24_576 } as const;
const LEVELS = {
  none: 'minimal',
  minimal: 'minimal',
  low: 'low',
  medium: 'medium',
  high: 'high',
  xhigh: 'high',
} as const;

function thinkingOf({ reasoning_effort: effort }: ChatRequest, model: string): Record<string, unknown> {
  if (!effort) return {};
  const budgeted = model.startsWith('gemini-2.5');
  return {
    thinkingConfig: budgeted ? { thinkingBudget: BUDGETS[effort] } : { thinkingLevel: LEVELS[effort] },
  };
}

function toolsOf({ tools, tool_choice, parallel_tool_calls }: ChatRequest) {
  if (!tools || tools.length === 0) return {};
  if (parallel_tool_calls === false) {
    throw unsupported(
      'google',
      'parallel_tool_calls',
      'It can not be kept from calling several tools at once.',
    );
  }
  const strict = tools.some((tool) => tool.function.strict);
  return {
    tools: [{ functionDeclarations: tools.map(declarationOf) }],
    toolConfig: { functionCallingConfig: callingOf(tool_choice ?? 'auto', strict) },
  };
}

function declarationOf({ function: { name, description, parameters } }: FunctionTool) {
  const properties = Object.keys(Object(parameters?.properties)).length;
  return {
    name,
    ...(description ? { description } : {}),
    // A function without parameters has no schema at all.
    ...(parameters && (properties > 0 || parameters.properties === undefined)
      ? { parametersJsonSchema: parameters }
      : {}),
  };
}

function callingOf(choice: NonNullable<ChatRequest['tool_choice']>, strict: boolean): object {
  if (typeof choice === 'object') return { mode: 'ANY', allowedFunctionNames: [choice.function.name] };
  if (choice === 'none') return { mode: 'NONE' };
  if (choice === 'required') return { mode: 'ANY' };
  return { mode: strict ? 'VALIDATED' : 'AUTO' };
}
