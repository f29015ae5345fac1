import type { ToolCall } from './chat-request.ts';
import { invalid } from './request-fault.ts';

/**
 * The arguments of a call that a client sends back.
 *
 * @param at where the call stands in the request
 * @throws ApiError 400 where they are no JSON object
 */
export function argumentsOf({ function: { arguments: text } }: ToolCall, at: string): object {
  const value = parsed(text);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw invalid(`${at}.function.arguments`, 'must be a JSON object');
  }
  return value;
}

/** Some clients write no arguments as an empty text. */
function parsed(text: string): unknown {
  if (text.trim() === '') return {};
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
