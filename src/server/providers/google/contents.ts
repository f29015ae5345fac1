import type { AssistantMessage, ChatMessage, ToolCall, UserPart } from '../chat-request.ts';
import { type Media, readMedia } from '../media.ts';
import { invalid, unsupported } from '../request-fault.ts';
import { argumentsOf } from '../tool-arguments.ts';

type Part =
  | { readonly text: string }
  | { readonly inlineData: { readonly mimeType: string; readonly data: string } }
  | { readonly fileData: { readonly mimeType: string; readonly fileUri: string } }
  | {
      readonly functionCall: { readonly id: string; readonly name: string; readonly args: object };
      readonly thoughtSignature?: string;
    }
  | {
      readonly functionResponse: { readonly id: string; readonly name: string; readonly response: object };
    };

export interface Content {
  readonly role: 'user' | 'model';
  readonly parts: Part[];
}

/** A conversation in Google's terms: the instructions apart, and turns that alternate. */
export interface Conversation {
  readonly instructions: { readonly text: string }[];
  readonly contents: Content[];
}

/**
 * Gemini 3 and later refuse a call of theirs that comes back without the signature of the thought behind it.
 * Most clients drop what they do not know; this value is Google's own way out for them.
 * Source: "Thought signatures" of the Gemini API's documentation.
 */
const NO_SIGNATURE = 'skip_thought_signature_validator';
const WITHOUT_SIGNATURES = /^(gemini-[12]|(?!gemini-))/;

const LINK_TYPES: Readonly<Record<string, string>> = {
  png: 'image/png',
  webp: 'image/webp',
  gif: 'image/gif',
  heic: 'image/heic',
  heif: 'image/heif',
  bmp: 'image/bmp',
  pdf: 'application/pdf',
};
const AUDIO_TYPES = { wav: 'audio/wav', mp3: 'audio/mp3' } as const;

/**
 * Turns OpenAI's messages into Google's contents. All system and developer messages go in front, in their
 * order: Google has one place for instructions.
 *
 * @throws ApiError 400
 */
export function conversationOf(messages: readonly ChatMessage[], model: string): Conversation {
  const instructions: { text: string }[] = [];
  const contents: Content[] = [];
  const names = new Map<string, string>();
  for (const [index, message] of messages.entries()) {
    const at = `messages[${index}]`;
    switch (message.role) {
      case 'system':
      case 'developer':
        instructions.push(...texts(message.content));
        break;
      case 'user':
        add(contents, 'user', userParts(message.content, at));
        break;
      case 'assistant':
        for (const call of message.tool_calls ?? []) names.set(call.id, call.function.name);
        add(contents, 'model', modelParts(message, at, model));
        break;
      case 'tool':
        add(contents, 'user', [resultPart(message, names.get(message.tool_call_id), at)]);
    }
  }
  return { instructions, contents };
}

function add(contents: Content[], role: Content['role'], parts: readonly Part[]): void {
  if (parts.length === 0) return;
  const last = contents.at(-1);
  if (last?.role === role) last.parts.push(...parts);
  else contents.push({ role, parts: [...parts] });
}

function texts(content: string | readonly { readonly text: string }[]): { text: string }[] {
  const parts = typeof content === 'string' ? [{ text: content }] : content;
  return parts.filter(({ text }) => text !== '').map(({ text }) => ({ text }));
}

function userParts(content: string | readonly UserPart[], at: string): Part[] {
  if (typeof content === 'string') return texts(content);
  return content.flatMap((part, index) => userPart(part, `${at}.content[${index}]`));
}

function userPart(part: UserPart, at: string): Part[] {
  switch (part.type) {
    case 'text':
      return texts([part]);
    case 'image_url':
      return [mediaPart(readMedia(part.image_url.url, `${at}.image_url.url`))];
    case 'file':
      if (!part.file.file_data) {
        throw unsupported('google', `${at}.file.file_id`, 'Send the file as file_data.');
      }
      return [mediaPart(readMedia(part.file.file_data, `${at}.file.file_data`))];
    case 'input_audio':
      return [
        { inlineData: { mimeType: AUDIO_TYPES[part.input_audio.format], data: part.input_audio.data } },
      ];
  }
}

/** A link needs a type, which only its ending tells; most pictures without one are JPEG. */
function mediaPart(media: Media): Part {
  if (media.kind === 'inline') return { inlineData: { mimeType: media.type, data: media.data } };
  const [path = ''] = media.url.split(/[?#]/);
  const ending = path.slice(path.lastIndexOf('.') + 1).toLowerCase();
  return { fileData: { mimeType: LINK_TYPES[ending] ?? 'image/jpeg', fileUri: media.url } };
}

function modelParts({ content, refusal, tool_calls }: AssistantMessage, at: string, model: string): Part[] {
  const said = typeof content === 'string' ? [{ text: content }] : (content ?? []);
  const spoken = said.map((part) => ({ text: 'refusal' in part ? part.refusal : part.text }));
  const calls = tool_calls ?? [];
  const signed = WITHOUT_SIGNATURES.test(model) || calls.some((call) => signatureOf(call) !== undefined);
  return [
    ...texts(refusal ? [...spoken, { text: refusal }] : spoken),
    ...calls.map((call, index) => {
      const signature = signatureOf(call) ?? (index === 0 && !signed ? NO_SIGNATURE : undefined);
      const { id, function: called } = call;
      const args = argumentsOf(call, `${at}.tool_calls[${index}]`);
      return {
        functionCall: { id, name: called.name, args },
        ...(signature === undefined ? {} : { thoughtSignature: signature }),
      };
    }),
  ];
}

function signatureOf({ extra_content }: ToolCall): string | undefined {
  return extra_content?.google?.thought_signature ?? undefined;
}

type ToolMessage = Extract<ChatMessage, { role: 'tool' }>;

/** Google wants the name of the function, which OpenAI's message does not have: it stands in the call before. */
function resultPart({ tool_call_id: id, content }: ToolMessage, name: string | undefined, at: string): Part {
  if (name === undefined)
    throw invalid(`${at}.tool_call_id`, 'must be the id of a call in an earlier message');
  const text = typeof content === 'string' ? content : content.map((part) => part.text).join('');
  return { functionResponse: { id, name, response: resultOf(text) } };
}

/** Google takes objects alone, with "output" as its name for any other result. */
function resultOf(text: string): object {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  } catch {
    // plain text
  }
  return { output: text };
}
