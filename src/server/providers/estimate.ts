import type { JsonMembers } from './json-members.ts';

/**
 * English text has about four characters a token with the tokenizers of all three providers (OpenAI's help:
 * "What are tokens"); other languages have fewer.
 */
const CHARACTERS_A_TOKEN = 4;

/** An image costs from 85 (OpenAI, low detail) to some 1,600 tokens (Anthropic, the largest). */
const TOKENS_A_MEDIUM = 1000;

/** What an answer may have where the client set no limit; answers are rarely longer. */
const UNLIMITED_OUTPUT = 4096;

/** Tokens of a text by its length. */
export function estimatedTokens(characters: number): number {
  return Math.ceil(characters / CHARACTERS_A_TOKEN);
}

/** What a request will cost in tokens, before anybody counted. */
export function estimateOf(
  request: JsonMembers,
  output: { readonly limit?: number; readonly answers?: number },
): { readonly input: number; readonly maxOutput: number } {
  const language = request.bytes.length - request.mediaBytes;
  return {
    input: estimatedTokens(language) + request.mediaCount * TOKENS_A_MEDIUM,
    maxOutput: (output.limit ?? UNLIMITED_OUTPUT) * (output.answers ?? 1),
  };
}
