import { type Provider, Providers } from './answers.ts';
import { element, part, tell } from './element.ts';
import { relative } from './format.ts';
import { askJson, sentenceFor } from './request.ts';

const NAMES: Readonly<Record<string, string>> = {
  openai: 'OpenAI',
  anthropic: 'Anthropic',
  google: 'Google',
};

/** How a provider is, in a word and a sentence. */
function condition({ configured, state, answered_at, last_error }: Provider) {
  if (!configured) return { kind: 'off', word: 'No key', sentence: 'Its models can not be used.' };
  if (state === 'open')
    return { kind: 'bad', word: 'Paused', sentence: 'It failed too often and is left alone for a moment.' };
  if (state === 'half-open')
    return { kind: 'bad', word: 'On trial', sentence: 'One request tries whether it is back.' };
  if (last_error !== null && last_error.at > (answered_at ?? 0)) {
    return { kind: 'warn', word: 'Failing', sentence: 'The last request to it failed.' };
  }
  const sentence = answered_at === null ? 'Not asked since the start.' : '';
  return { kind: 'good', word: 'Ready', sentence };
}

/** The cards of the providers. */
export class ProviderCards {
  readonly #list = part('providers', HTMLUListElement);
  readonly #problem = part('providers-problem', HTMLElement);

  async refresh(): Promise<void> {
    try {
      const { data } = await askJson('v1/providers', Providers);
      const now = Date.now();
      this.#list.replaceChildren(...data.map((provider) => card(provider, now)));
      tell(this.#problem, undefined);
    } catch (error) {
      this.#list.replaceChildren();
      tell(this.#problem, `Providers: ${sentenceFor(error)}`);
    }
  }
}

function card(provider: Provider, now: number): HTMLLIElement {
  const { id, answered_at: good, last_error: bad } = provider;
  const { kind, word, sentence } = condition(provider);
  const lines = [sentence];
  if (good !== null) lines.push(`Answered ${relative(good, now)}.`);
  return element(
    'li',
    { class: 'card provider' },
    element('h3', {}, NAMES[id] ?? id),
    element('p', { class: `state ${kind}` }, word),
    element('p', { class: 'note' }, lines.filter(Boolean).join(' ')),
    bad === null
      ? undefined
      : element('p', { class: 'note' }, `Last error ${relative(bad.at, now)}: ${bad.message}`),
  );
}
