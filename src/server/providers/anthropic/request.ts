import type { ChatRequest, FunctionTool } from '../chat-request.ts';
import { refuse, unsupported } from '../request-fault.ts';
import { conversationOf, type TextBlock, type Turn } from './messages.ts';

/** Anthropic demands a limit; this one is used where the client set none. */
const DEFAULT_MAX_TOKENS = 8192;

const HIGHEST_TEMPERATURE = 1;

/** What Anthropic has no like for. */
export const REFUSED = [
  'audio',
  'frequency_penalty',
  'function_call',
  'functions',
  'logit_bias',
  'logprobs',
  'prediction',
  'presence_penalty',
  'top_logprobs',
  'web_search_options',
] as const;

/** OpenAI's JSON mode has no like; a schema has one. */
const JSON_INSTRUCTION =
  'Answer with one valid JSON object and nothing else: no text around it and no Markdown fence.';

/** The body of a request to Anthropic's Messages API, version 2023-06-01. */
export interface MessagesRequest {
  readonly model: string;
  readonly max_tokens: number;
  readonly messages: readonly Turn[];
  readonly system?: readonly TextBlock[];
  readonly stream?: true;
  readonly temperature?: number;
  readonly top_p?: number;
  readonly stop_sequences?: readonly string[];
  readonly tools?: readonly object[];
  readonly tool_choice?: object;
  readonly output_config?: { readonly effort?: string; readonly format?: object };
  readonly thinking?: { readonly type: 'disabled' };
  readonly metadata?: { readonly user_id: string };
}

/**
 * Turns a chat completion into a request to Anthropic's Messages API.
 *
 * @throws ApiError 400 that names what Anthropic can't do
 */
export function messagesRequest(request: ChatRequest, model: string): MessagesRequest {
  refuse('anthropic', request, REFUSED);
  if ((request.n ?? 1) > 1) throw unsupported('anthropic', 'n', 'It gives one answer a request.');
  if (request.modalities?.some((kind) => kind !== 'text')) throw unsupported('anthropic', 'modalities');
  const { system, turns } = conversationOf(request.messages);
  if (request.response_format?.type === 'json_object') system.push({ type: 'text', text: JSON_INSTRUCTION });
  const user = request.user ?? request.safety_identifier;
  return {
    model,
    max_tokens: request.max_completion_tokens ?? request.max_tokens ?? DEFAULT_MAX_TOKENS,
    messages: turns,
    ...(system.length > 0 ? { system } : {}),
    ...(request.stream ? { stream: true } : {}),
    ...sampling(request),
    ...toolsOf(request),
    ...outputOf(request),
    ...(user ? { metadata: { user_id: user } } : {}),
  };
}

function sampling({ temperature, top_p, stop }: ChatRequest) {
  if (temperature && temperature > HIGHEST_TEMPERATURE) {
    throw unsupported('anthropic', 'temperature', 'It takes 0 to 1.');
  }
  const stops = typeof stop === 'string' ? [stop] : (stop ?? []);
  return {
    ...(typeof temperature === 'number' ? { temperature } : {}),
    ...(typeof top_p === 'number' ? { top_p } : {}),
    ...(stops.length > 0 ? { stop_sequences: stops } : {}),
  };
}

function toolsOf({ tools, tool_choice, parallel_tool_calls }: ChatRequest) {
  if (!tools || tools.length === 0) return {};
  const choice = choiceOf(tool_choice ?? 'auto');
  const single = parallel_tool_calls === false && choice.type !== 'none';
  return {
    tools: tools.map(toolOf),
    tool_choice: single ? { ...choice, disable_parallel_tool_use: true } : choice,
  };
}

function toolOf({ function: { name, description, parameters, strict } }: FunctionTool) {
  return {
    name,
    ...(description ? { description } : {}),
    input_schema: { type: 'object', ...parameters },
    ...(strict ? { strict } : {}),
  };
}

const CHOICES = { auto: 'auto', none: 'none', required: 'any' } as const;

function choiceOf(choice: NonNullable<ChatRequest['tool_choice']>): { type: string; name?: string } {
  return typeof choice === 'string'
    ? { type: CHOICES[choice] }
    : { type: 'tool', name: choice.function.name };
}

function outputOf({ reasoning_effort: effort, response_format: format }: ChatRequest) {
  const config = {
    // Anthropic's scale begins with low.
    ...(effort && effort !== 'none' ? { effort: effort === 'minimal' ? 'low' : effort } : {}),
    ...(format?.type === 'json_schema'
      ? { format: { type: 'json_schema', schema: format.json_schema.schema ?? {} } }
      : {}),
  };
  return {
    ...(Object.keys(config).length > 0 ? { output_config: config } : {}),
    ...(effort === 'none' ? { thinking: { type: 'disabled' as const } } : {}),
  };
}
