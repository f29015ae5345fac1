import { IssuedKey } from './answers.ts';
import { part, tell } from './element.ts';
import { Problem } from './problem.ts';
import { askJson, sentenceFor } from './request.ts';

const A_DAY = 86_400_000;

/** The dialog that creates a key, and the one that shows it, once. */
export class KeyForm {
  readonly #dialog = part('key-dialog', HTMLDialogElement);
  readonly #form = part('key-form', HTMLFormElement);
  readonly #problem = part('key-problem', HTMLElement);
  readonly #tokenDialog = part('token-dialog', HTMLDialogElement);
  readonly #token = part('token', HTMLInputElement);
  readonly #copied = part('copied', HTMLElement);
  #busy = false;

  /** @param onCreated is called when there is a new key */
  constructor(onCreated: () => void) {
    this.#form.addEventListener('submit', async (event) => {
      event.preventDefault();
      if (await this.#create()) onCreated();
    });
    this.#dialog.querySelector('[data-close]')?.addEventListener('click', () => this.#dialog.close());
    this.#token.addEventListener('focus', () => this.#token.select());
    part('copy-token', HTMLButtonElement).addEventListener('click', () => void this.#copy());
    // Nothing keeps the key once its dialog is gone.
    this.#tokenDialog.addEventListener('close', () => {
      this.#token.value = '';
    });
  }

  open(): void {
    this.#form.reset();
    tell(this.#problem, undefined);
    this.#dialog.showModal();
  }

  async #create(): Promise<boolean> {
    if (this.#busy) return false;
    this.#busy = true;
    try {
      const { key } = await askJson('v1/keys', IssuedKey, {
        method: 'POST',
        body: requestOf(new FormData(this.#form)),
      });
      this.#dialog.close();
      this.#token.value = key;
      this.#copied.textContent = '';
      this.#tokenDialog.showModal();
      return true;
    } catch (error) {
      tell(this.#problem, sentenceFor(error));
      return false;
    } finally {
      this.#busy = false;
    }
  }

  async #copy(): Promise<void> {
    try {
      // Only where the page came by HTTPS or from this machine.
      await navigator.clipboard.writeText(this.#token.value);
      this.#copied.textContent = 'Copied.';
    } catch {
      this.#token.focus();
      this.#copied.textContent = 'The browser does not let this page copy. It is selected: press Ctrl+C.';
    }
  }
}

/** @throws Problem where a field makes no sense */
function requestOf(form: FormData) {
  const name = text(form, 'name');
  const scopes = form.getAll('scope');
  if (name === '') throw new Problem('Give it a name.');
  if (scopes.length === 0) throw new Problem('Choose at least one thing that it may do.');
  const lastDay = text(form, 'expires');
  return {
    name,
    scopes,
    requests_per_minute: number(form, 'requests', 'Requests a minute'),
    tokens_per_minute: number(form, 'tokens', 'Tokens a minute'),
    monthly_budget_usd: number(form, 'budget', 'The budget'),
    expires_at: lastDay === '' ? null : new Date(Date.parse(lastDay) + A_DAY).toISOString(),
  };
}

function text(form: FormData, name: string): string {
  return String(form.get(name) ?? '').trim();
}

function number(form: FormData, name: string, called: string): number | null {
  const value = text(form, name);
  if (value === '') return null;
  if (!/^\d+(\.\d+)?$/.test(value)) throw new Problem(`${called}: write a number such as 60, or nothing.`);
  return Number(value);
}
