import { z } from '@hono/zod-openapi';

/**
 * OpenAI's request for a chat completion: what the translators read of it. Members that are not listed
 * pass through to OpenAI, and to the others they do not go.
 * Source: `CreateChatCompletionRequest` of OpenAI's API reference.
 */
const CacheControl = z
  .object({ type: z.literal('ephemeral'), ttl: z.enum(['5m', '1h']).optional() })
  .optional()
  .meta({ description: 'Anthropic alone: the prompt is kept in its cache up to here.' });

const TextPart = z.object({
  type: z.literal('text'),
  text: z.string(),
  cache_control: CacheControl,
});

const ImagePart = z.object({
  type: z.literal('image_url'),
  image_url: z.object({
    url: z.string().meta({ description: 'https:// or data:. Thoth never fetches it.' }),
    detail: z.enum(['auto', 'low', 'high']).nullish(),
  }),
  cache_control: CacheControl,
});

const AudioPart = z.object({
  type: z.literal('input_audio'),
  input_audio: z.object({ data: z.string(), format: z.enum(['wav', 'mp3']) }),
});

const FilePart = z.object({
  type: z.literal('file'),
  file: z.object({
    file_data: z.string().nullish().meta({ description: 'A data: URL.' }),
    file_id: z.string().nullish(),
    filename: z.string().nullish(),
  }),
  cache_control: CacheControl,
});

const RefusalPart = z.object({ type: z.literal('refusal'), refusal: z.string() });

export const UserPart = z.discriminatedUnion('type', [TextPart, ImagePart, AudioPart, FilePart]);
export type UserPart = z.infer<typeof UserPart>;

export const ToolCall = z.object({
  id: z.string().min(1),
  type: z.literal('function'),
  function: z.object({
    name: z.string().min(1),
    arguments: z.string().meta({ description: 'JSON.' }),
  }),
  extra_content: z
    .object({ google: z.object({ thought_signature: z.string().nullish() }).nullish() })
    .nullish()
    .meta({ description: "Google's signature of the thought behind the call; send it back." }),
});
export type ToolCall = z.infer<typeof ToolCall>;

const Texts = z.union([z.string(), z.array(TextPart).min(1)]);
const Name = z.string().nullish();

const SystemMessage = z.object({ role: z.enum(['system', 'developer']), content: Texts, name: Name });
const UserMessage = z.object({
  role: z.literal('user'),
  content: z.union([z.string(), z.array(UserPart).min(1)]),
  name: Name,
});
const AssistantMessage = z.object({
  role: z.literal('assistant'),
  content: z.union([z.string(), z.array(z.discriminatedUnion('type', [TextPart, RefusalPart]))]).nullish(),
  refusal: z.string().nullish(),
  tool_calls: z.array(ToolCall).nullish(),
  name: Name,
});
const ToolMessage = z.object({ role: z.literal('tool'), content: Texts, tool_call_id: z.string() });

export const ChatMessage = z.discriminatedUnion('role', [
  SystemMessage,
  UserMessage,
  AssistantMessage,
  ToolMessage,
]);
export type ChatMessage = z.infer<typeof ChatMessage>;
export type AssistantMessage = z.infer<typeof AssistantMessage>;

export const FunctionTool = z.object({
  type: z.literal('function'),
  function: z.object({
    name: z.string().min(1),
    description: z.string().nullish(),
    parameters: z.record(z.string(), z.unknown()).nullish().meta({ description: 'A JSON schema.' }),
    strict: z.boolean().nullish(),
  }),
});
export type FunctionTool = z.infer<typeof FunctionTool>;

const ToolChoice = z.union([
  z.enum(['none', 'auto', 'required']),
  z.object({ type: z.literal('function'), function: z.object({ name: z.string() }) }),
]);

const ResponseFormat = z.discriminatedUnion('type', [
  z.object({ type: z.literal('text') }),
  z.object({ type: z.literal('json_object') }),
  z.object({
    type: z.literal('json_schema'),
    json_schema: z.object({
      name: z.string().nullish(),
      description: z.string().nullish(),
      schema: z.record(z.string(), z.unknown()).nullish(),
      strict: z.boolean().nullish(),
    }),
  }),
]);

const count = () => z.number().int().min(1);
const openAiAlone = () => z.unknown().optional().meta({ description: 'OpenAI alone.' });

export const ChatRequest = z
  .object({
    model: z.string().min(1).meta({ description: 'See GET /v1/models.', example: 'openai/gpt-4o-mini' }),
    messages: z.array(ChatMessage).min(1),
    stream: z.boolean().nullish(),
    stream_options: z.object({ include_usage: z.boolean().nullish() }).nullish(),
    max_completion_tokens: count().nullish(),
    max_tokens: count().nullish().meta({ description: 'The older name of max_completion_tokens.' }),
    temperature: z.number().min(0).max(2).nullish(),
    top_p: z.number().min(0).max(1).nullish(),
    n: count().max(128).nullish(),
    stop: z.union([z.string(), z.array(z.string())]).nullish(),
    tools: z.array(FunctionTool).nullish(),
    tool_choice: ToolChoice.nullish(),
    parallel_tool_calls: z.boolean().nullish(),
    response_format: ResponseFormat.nullish(),
    reasoning_effort: z.enum(['none', 'minimal', 'low', 'medium', 'high', 'xhigh']).nullish(),
    seed: z.number().int().nullish(),
    presence_penalty: z.number().min(-2).max(2).nullish(),
    frequency_penalty: z.number().min(-2).max(2).nullish(),
    logprobs: z.boolean().nullish(),
    top_logprobs: z.number().int().min(0).max(20).nullish(),
    logit_bias: z.record(z.string(), z.number()).nullish(),
    modalities: z.array(z.string()).nullish(),
    audio: openAiAlone(),
    prediction: openAiAlone(),
    web_search_options: openAiAlone(),
    functions: openAiAlone(),
    function_call: openAiAlone(),
    user: z.string().nullish(),
    safety_identifier: z.string().nullish(),
  })
  .openapi('ChatCompletionRequest');
export type ChatRequest = z.infer<typeof ChatRequest>;
