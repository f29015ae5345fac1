import { readFileSync } from 'node:fs';
import { z } from 'zod';
import type { Tokens } from './meter.ts';
import type { Nanos } from './money.ts';
import { PRICE_LIST, type Price } from './price-list.ts';

/** What may follow a model's name and is the same model: a date, a revision, `latest`. */
const REVISION = /^(?:[-@](?:\d{2,}|latest|preview|exp))+$/;
/** From dollars for a million tokens to nano-dollars for one. */
const NANOS_A_TOKEN = 1000;

const Dollars = z.number().nonnegative().max(1_000_000);
const Rates = z.strictObject({ input: Dollars, output: Dollars, cached_input: Dollars.optional() });
/** A file of prices: `{"openai/gpt-4o": {"input": 2.5, "output": 10, "cached_input": 1.25}}`. */
const PriceFile = z.record(
  z.string().regex(/^[a-z]+\/\S+$/),
  Rates.extend({ long: Rates.extend({ above: z.int().positive() }).optional() }),
);

/** What models cost. */
export class Prices {
  readonly #list: Readonly<Record<string, Price>>;
  readonly #found = new Map<string, Price | undefined>();

  /** @param more prices that come before those of the list */
  constructor(more: Readonly<Record<string, Price>> = {}) {
    this.#list = { ...PRICE_LIST, ...more };
  }

  /** @param model `provider/name`, as the provider names it. @returns `undefined` where its price is not known */
  of(model: string): Price | undefined {
    if (this.#found.has(model)) return this.#found.get(model);
    const price = this.#lookUp(model);
    // Names come from clients, so those that are not known are looked up each time.
    if (price !== undefined) this.#found.set(model, price);
    return price;
  }

  #lookUp(model: string): Price | undefined {
    if (Object.hasOwn(this.#list, model)) return this.#list[model];
    const [longest] = Object.keys(this.#list)
      .filter((name) => model.startsWith(name) && REVISION.test(model.slice(name.length)))
      .sort((a, b) => b.length - a.length);
    return longest === undefined ? undefined : this.#list[longest];
  }
}

/** What tokens cost, in nano-dollars. */
export function costOf(price: Price, { input, output, cachedInput = 0 }: Tokens): Nanos {
  const rates = price.long !== undefined && input > price.long.above ? price.long : price;
  const cached = Math.min(cachedInput, input);
  const dollars =
    (input - cached) * rates.input + cached * (rates.cached_input ?? rates.input) + output * rates.output;
  return Math.round(dollars * NANOS_A_TOKEN);
}

/**
 * Reads a file of prices.
 *
 * @returns what is wrong with it, as the end of "it ...", where it is none
 */
export function readPrices(path: string): Readonly<Record<string, Price>> | string {
  try {
    const parsed = PriceFile.safeParse(JSON.parse(readFileSync(path, 'utf8')));
    if (parsed.success) return parsed.data;
    const [issue] = parsed.error.issues;
    return `is wrong at ${issue?.path.join('.') || 'the top'}: ${issue?.message}`;
  } catch (error) {
    if (error instanceof SyntaxError) return 'is no JSON';
    return `can not be read (${(error as NodeJS.ErrnoException).code ?? 'unknown error'})`;
  }
}
