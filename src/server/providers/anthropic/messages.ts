import type { AssistantMessage, ChatMessage, UserPart } from '../chat-request.ts';
import { type Media, readMedia } from '../media.ts';
import { unsupported } from '../request-fault.ts';
import { argumentsOf } from '../tool-arguments.ts';

type CacheControl = { readonly type: 'ephemeral'; readonly ttl?: string | undefined };
type Source =
  | { readonly type: 'base64'; readonly media_type: string; readonly data: string }
  | { readonly type: 'url'; readonly url: string };

export interface TextBlock {
  readonly type: 'text';
  readonly text: string;
  readonly cache_control?: CacheControl;
}

type Block =
  | TextBlock
  | { readonly type: 'image' | 'document'; readonly source: Source; readonly cache_control?: CacheControl }
  | { readonly type: 'tool_use'; readonly id: string; readonly name: string; readonly input: unknown }
  | { readonly type: 'tool_result'; readonly tool_use_id: string; readonly content: string | TextBlock[] };

export interface Turn {
  readonly role: 'user' | 'assistant';
  readonly content: Block[];
}

/** A conversation in Anthropic's terms: the instructions apart, and turns that alternate. */
export interface Conversation {
  readonly system: TextBlock[];
  readonly turns: Turn[];
}

const IMAGE_TYPES = new Set(['image/jpeg', 'image/png', 'image/gif', 'image/webp']);

/**
 * Turns OpenAI's messages into Anthropic's. All system and developer messages go in front, in their order:
 * Anthropic has one place for instructions. Results of parallel calls go into one turn, as it demands.
 *
 * @throws ApiError 400
 */
export function conversationOf(messages: readonly ChatMessage[]): Conversation {
  const system: TextBlock[] = [];
  const turns: Turn[] = [];
  for (const [index, message] of messages.entries()) {
    const at = `messages[${index}]`;
    switch (message.role) {
      case 'system':
      case 'developer':
        system.push(...textBlocks(message.content));
        break;
      case 'user':
        add(turns, 'user', userBlocks(message.content, at));
        break;
      case 'assistant':
        add(turns, 'assistant', assistantBlocks(message, at));
        break;
      case 'tool':
        add(turns, 'user', [
          { type: 'tool_result', tool_use_id: message.tool_call_id, content: resultOf(message.content) },
        ]);
    }
  }
  return { system, turns };
}

function add(turns: Turn[], role: Turn['role'], blocks: readonly Block[]): void {
  if (blocks.length === 0) return;
  const last = turns.at(-1);
  if (last?.role === role) last.content.push(...blocks);
  else turns.push({ role, content: [...blocks] });
}

interface Text {
  readonly text: string;
  readonly cache_control?: CacheControl | undefined;
}

/** Anthropic refuses a text block that is empty. */
function textBlocks(content: string | readonly Text[]): TextBlock[] {
  const parts: readonly Text[] = typeof content === 'string' ? [{ text: content }] : content;
  return parts
    .filter(({ text }) => text !== '')
    .map(({ text, cache_control }) => ({ type: 'text', text, ...cached({ cache_control }) }));
}

function userBlocks(content: string | readonly UserPart[], at: string): Block[] {
  if (typeof content === 'string') return textBlocks(content);
  return content.flatMap((part, index) => userBlock(part, `${at}.content[${index}]`));
}

function userBlock(part: UserPart, at: string): Block[] {
  switch (part.type) {
    case 'text':
      return textBlocks([part]);
    case 'image_url': {
      const media = readMedia(part.image_url.url, `${at}.image_url.url`);
      if (media.kind === 'inline' && !IMAGE_TYPES.has(media.type)) {
        throw unsupported('anthropic', `${at}.image_url.url`, 'It takes JPEG, PNG, GIF and WebP.');
      }
      return [{ type: 'image', source: sourceOf(media), ...cached(part) }];
    }
    case 'file':
      return [{ type: 'document', source: fileSource(part.file.file_data, at), ...cached(part) }];
    case 'input_audio':
      throw unsupported('anthropic', at, 'It takes no audio.');
  }
}

function fileSource(data: string | null | undefined, where: string): Source {
  if (!data) throw unsupported('anthropic', `${where}.file.file_id`, 'Send the file as file_data.');
  const media = readMedia(data, `${where}.file.file_data`);
  if (media.kind === 'inline' && media.type !== 'application/pdf') {
    throw unsupported('anthropic', `${where}.file.file_data`, 'It takes PDF.');
  }
  return sourceOf(media);
}

function sourceOf(media: Media): Source {
  return media.kind === 'link'
    ? { type: 'url', url: media.url }
    : { type: 'base64', media_type: media.type, data: media.data };
}

function assistantBlocks({ content, refusal, tool_calls }: AssistantMessage, at: string): Block[] {
  const parts = typeof content === 'string' ? [{ text: content }] : (content ?? []).map(spoken);
  const said = refusal ? [...parts, { text: refusal }] : parts;
  const calls = (tool_calls ?? []).map(
    (call, index): Block => ({
      type: 'tool_use',
      id: call.id,
      name: call.function.name,
      input: argumentsOf(call, `${at}.tool_calls[${index}]`),
    }),
  );
  return [...textBlocks(said), ...calls];
}

function spoken(part: Text | { readonly refusal: string }): Text {
  return 'refusal' in part ? { text: part.refusal } : part;
}

function resultOf(content: string | readonly Text[]): string | TextBlock[] {
  return typeof content === 'string' ? content : textBlocks(content);
}

function cached({ cache_control }: { readonly cache_control?: CacheControl | undefined }) {
  return cache_control === undefined ? {} : { cache_control };
}
