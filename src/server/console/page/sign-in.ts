import { Providers } from './answers.ts';
import { part, tell } from './element.ts';
import { Problem } from './problem.ts';
import { askJson, sentenceFor } from './request.ts';
import { session } from './session.ts';

/** The view that asks for a client key. */
export class SignIn {
  readonly #form = part('sign-in-form', HTMLFormElement);
  readonly #key = part('key', HTMLInputElement);
  readonly #problem = part('sign-in-problem', HTMLElement);

  /** @param onDone is called when a key is signed in with */
  constructor(onDone: () => void) {
    this.#form.addEventListener('submit', async (event) => {
      event.preventDefault();
      if (await this.#signIn(this.#key.value.trim())) onDone();
    });
  }

  /** @param sentence why one has to sign in again */
  show(sentence?: string): void {
    this.#key.value = '';
    this.#tell(sentence);
    this.#key.focus();
  }

  async #signIn(key: string): Promise<boolean> {
    // It goes into a header, where other characters can't be.
    if (!/^[!-~]+$/.test(key)) {
      this.#tell(
        key === ''
          ? 'Paste a key first.'
          : 'This is no key: it has blanks or other characters that no key has.',
      );
      return false;
    }
    session.begin(key);
    const sentence = await isRefused();
    if (sentence === undefined) {
      this.#key.value = '';
      return true;
    }
    session.end();
    this.#tell(sentence);
    return false;
  }

  #tell(sentence: string | undefined): void {
    tell(this.#problem, sentence);
    this.#key.toggleAttribute('aria-invalid', sentence !== undefined);
    this.#key.select();
  }
}

/**
 * Why the key of the session can not be used at all, or without one, why one is needed. That it may not do a thing
 * is said where it is done.
 */
export async function isRefused(): Promise<string | undefined> {
  try {
    await askJson('v1/providers', Providers); // asks no provider, so it takes no time
  } catch (error) {
    const sentence = sentenceFor(error);
    if (!(error instanceof Problem) || error.status === undefined || error.status === 401) return sentence;
  }
  return undefined;
}
