/** US dollars for a million tokens. */
export interface Price {
  readonly input: number;
  readonly output: number;
  /** Input that the provider had in its cache; the price of other input where it is not told. */
  readonly cached_input?: number | undefined;
  /** What all tokens cost where there is more input than that. */
  readonly long?: (Omit<Price, 'long'> & { readonly above: number }) | undefined;
}

/** An embedding has no output. */
function embedding(input: number): Price {
  return { input, output: 0 };
}

function price(input: number, output: number, cached_input?: number, long?: Price['long']): Price {
  return {
    input,
    output,
    ...(cached_input === undefined ? {} : { cached_input }),
    ...(long ? { long } : {}),
  };
}

function long(above: number, input: number, output: number, cached_input: number): Price['long'] {
  return { above, input, output, cached_input };
}

/**
 * List prices by provider and model, of November 2026. Sources: openai.com/api/pricing,
 * platform.claude.com/docs/en/about-claude/pricing, ai.google.dev/gemini-api/docs/pricing, and the price list in
 * LiteLLM 1.110.2. Of dearer kinds of service (priority, batches, audio, writing to a cache) there is none.
 */
export const PRICE_LIST: Readonly<Record<string, Price>> = {
  'openai/gpt-6.1-sol': price(2, 10, 0.1, long(272_000, 4, 15, 0.2)),
  'openai/gpt-6.1-terra': price(1, 5, 0.05, long(272_000, 2, 7.5, 0.1)),
  'openai/gpt-6-astra': price(10, 50, 1, long(272_000, 20, 75, 2)),
  'openai/gpt-6-sol': price(2, 10, 0.2, long(272_000, 4, 15, 0.4)),
  'openai/gpt-6-luna': price(0.1, 0.5, 0.01, long(272_000, 0.2, 0.75, 0.02)),
  'openai/gpt-5.6': price(4, 20, 0.4, long(272_000, 8, 30, 0.8)),
  'openai/gpt-5.6-sol': price(4, 20, 0.4, long(272_000, 8, 30, 0.8)),
  'openai/gpt-5.6-terra': price(2, 12, 0.2, long(272_000, 4, 18, 0.4)),
  'openai/gpt-5.6-luna': price(0.2, 1.2, 0.02, long(272_000, 0.4, 1.8, 0.04)),
  'openai/gpt-5.5': price(5, 30, 0.5, long(272_000, 10, 45, 1)),
  'openai/gpt-5.5-pro': price(30, 180, undefined, long(272_000, 60, 270, 60)),
  'openai/gpt-5.4': price(2.5, 15, 0.25, long(272_000, 5, 22.5, 0.5)),
  'openai/gpt-5.4-mini': price(0.75, 4.5, 0.075),
  'openai/gpt-5.4-nano': price(0.2, 1.25, 0.02),
  'openai/gpt-5.4-pro': price(30, 180, undefined, long(272_000, 60, 270, 60)),
  'openai/gpt-5.3-chat': price(1.75, 14, 0.175),
  'openai/gpt-5.3-codex': price(1.75, 14, 0.175),
  'openai/gpt-5.2': price(1.75, 14, 0.175),
  'openai/gpt-5.2-chat': price(1.75, 14, 0.175),
  'openai/gpt-5.2-codex': price(1.75, 14, 0.175),
  'openai/gpt-5.2-pro': price(21, 168),
  'openai/gpt-5.1': price(1.25, 10, 0.125),
  'openai/gpt-5.1-chat': price(1.25, 10, 0.125),
  'openai/gpt-5.1-codex': price(1.25, 10, 0.125),
  'openai/gpt-5.1-codex-max': price(1.25, 10, 0.125),
  'openai/gpt-5.1-codex-mini': price(0.25, 2, 0.025),
  'openai/gpt-5': price(1.25, 10, 0.125),
  'openai/gpt-5-chat': price(1.25, 10, 0.125),
  'openai/gpt-5-codex': price(1.25, 10, 0.125),
  'openai/gpt-5-mini': price(0.25, 2, 0.025),
  'openai/gpt-5-nano': price(0.05, 0.4, 0.005),
  'openai/gpt-5-pro': price(15, 120),
  'openai/gpt-4.1': price(2, 8, 0.5),
  'openai/gpt-4.1-mini': price(0.4, 1.6, 0.1),
  'openai/gpt-4.1-nano': price(0.1, 0.4, 0.025),
  'openai/gpt-4o': price(2.5, 10, 1.25),
  'openai/gpt-4o-2024-05-13': price(5, 15),
  'openai/gpt-4o-mini': price(0.15, 0.6, 0.075),
  'openai/gpt-4-turbo': price(10, 30),
  'openai/gpt-4': price(30, 60),
  'openai/gpt-3.5-turbo': price(0.5, 1.5),
  'openai/o4-mini': price(1.1, 4.4, 0.275),
  'openai/o3': price(2, 8, 0.5),
  'openai/o3-mini': price(1.1, 4.4, 0.55),
  'openai/o3-pro': price(20, 80),
  'openai/o1': price(15, 60, 7.5),
  'openai/o1-pro': price(150, 600),
  'openai/text-embedding-3-small': embedding(0.02),
  'openai/text-embedding-3-large': embedding(0.13),
  'openai/text-embedding-ada-002': embedding(0.1),

  'anthropic/claude-fable-5-1': price(10, 50, 0.25),
  'anthropic/claude-fable-5': price(10, 50, 1),
  'anthropic/claude-opus-5-5': price(4, 20, 0.2),
  'anthropic/claude-opus-5': price(5, 25, 0.5),
  'anthropic/claude-opus-4-8': price(5, 25, 0.5),
  'anthropic/claude-opus-4-7': price(5, 25, 0.5),
  'anthropic/claude-opus-4-6': price(5, 25, 0.5),
  'anthropic/claude-opus-4-5': price(5, 25, 0.5),
  'anthropic/claude-opus-4-1': price(15, 75, 1.5),
  'anthropic/claude-opus-4': price(15, 75, 1.5),
  'anthropic/claude-sonnet-5-5': price(2, 10, 0.1),
  'anthropic/claude-sonnet-5': price(2, 10, 0.2),
  'anthropic/claude-sonnet-4-6': price(3, 15, 0.3),
  'anthropic/claude-sonnet-4-5': price(3, 15, 0.3),
  'anthropic/claude-sonnet-4': price(3, 15, 0.3),
  'anthropic/claude-haiku-5-5': price(0.1, 0.5, 0.01, long(100_000, 0.5, 2.5, 0.05)),
  'anthropic/claude-haiku-4-5': price(1, 5, 0.1),

  'google/gemini-4-argon': price(2, 10, 0.1),
  'google/gemini-4-hydrogen': price(1.5, 7.5, 0.075),
  'google/gemini-3.8-flash': price(0.75, 3.75, 0.075),
  'google/gemini-3.7-flash': price(0.75, 3.75, 0.075),
  'google/gemini-3.6-flash': price(0.75, 3.75, 0.075),
  'google/gemini-3.5-flash': price(1.5, 9, 0.15),
  'google/gemini-3.5-flash-lite': price(0.3, 2.5, 0.03),
  'google/gemini-3.1-pro': price(2, 12, 0.2, long(200_000, 4, 18, 0.4)),
  'google/gemini-3.1-flash-lite': price(0.25, 1.5, 0.025),
  'google/gemini-3-flash': price(0.5, 3, 0.05),
  'google/gemini-2.5-pro': price(1.25, 10, 0.125, long(200_000, 2.5, 15, 0.25)),
  'google/gemini-2.5-flash': price(0.3, 2.5, 0.03),
  'google/gemini-2.5-flash-lite': price(0.1, 0.4, 0.01),
  'google/gemini-flash': price(0.75, 3.75, 0.075),
  'google/gemini-flash-lite': price(0.3, 2.5, 0.03),
  'google/gemini-pro': price(2, 12, 0.2, long(200_000, 4, 18, 0.4)),
  'google/gemini-embedding-2': embedding(0.2),
  'google/gemini-embedding-001': embedding(0.15),
};
