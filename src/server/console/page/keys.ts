import { Keys as Answer, type Key } from './answers.ts';
import { element, part, tell } from './element.ts';
import { count, dollars, onDate } from './format.ts';
import { KeyForm } from './key-form.ts';
import { ask, askJson, sentenceFor } from './request.ts';

/** The view of the client keys: create, look at, revoke. */
export class Keys {
  readonly #rows = part('key-rows', HTMLTableSectionElement);
  readonly #problem = part('keys-problem', HTMLElement);
  readonly #done = part('keys-done', HTMLElement);
  readonly #create = part('new-key', HTMLButtonElement);
  readonly #revokeDialog = part('revoke-dialog', HTMLDialogElement);
  readonly #revokeText = part('revoke-text', HTMLElement);
  readonly #revokeProblem = part('revoke-problem', HTMLElement);
  readonly #form = new KeyForm(() => void this.refresh());
  #revoking: Key | undefined;

  constructor() {
    this.#create.addEventListener('click', () => this.#form.open());
    this.#revokeDialog
      .querySelector('[data-close]')
      ?.addEventListener('click', () => this.#revokeDialog.close());
    part('revoke-form', HTMLFormElement).addEventListener('submit', (event) => {
      event.preventDefault();
      void this.#revoke();
    });
  }

  async refresh(): Promise<void> {
    try {
      const { data } = await askJson('v1/keys', Answer);
      this.#rows.replaceChildren(...data.map((key) => this.#row(key)));
      tell(this.#problem, undefined);
    } catch (error) {
      this.#rows.replaceChildren();
      tell(this.#problem, sentenceFor(error));
    }
  }

  /** Shows nothing of the keys any more. */
  clear(): void {
    this.#rows.replaceChildren();
    this.#done.textContent = '';
  }

  #row(key: Key): HTMLTableRowElement {
    const { id, name, state, scopes, created_at, expires_at } = key;
    const limits = limitsOf(key);
    return element(
      'tr',
      {},
      element('th', { scope: 'row' }, name, element('small', {}, element('code', {}, `thoth_${id}_…`))),
      element('td', {}, element('span', { class: `state ${state === 'active' ? 'good' : 'off'}` }, state)),
      element('td', {}, element('ul', { class: 'tags' }, ...scopes.map((scope) => element('li', {}, scope)))),
      element(
        'td',
        {},
        ...(limits.length === 0 ? ['none'] : limits.map((limit) => element('div', {}, limit))),
      ),
      element('td', {}, onDate(created_at)),
      element('td', {}, expires_at === null ? 'never' : onDate(expires_at)),
      element('td', { class: 'action' }, state === 'revoked' ? undefined : this.#revokeButton(key)),
    );
  }

  #revokeButton(key: Key): HTMLButtonElement {
    const button = element(
      'button',
      { type: 'button', class: 'danger', 'aria-label': `Revoke ${key.name}` },
      'Revoke',
    );
    button.addEventListener('click', () => {
      this.#revoking = key;
      tell(this.#revokeProblem, undefined);
      this.#revokeText.textContent = `Whatever uses “${key.name}” is refused from now on, for ever. Its usage stays recorded.`;
      this.#revokeDialog.showModal();
    });
    return button;
  }

  async #revoke(): Promise<void> {
    const key = this.#revoking;
    if (key === undefined) return;
    this.#revoking = undefined; // a second click finds nothing to do
    try {
      await ask(`v1/keys/${encodeURIComponent(key.id)}`, { method: 'DELETE' });
    } catch (error) {
      this.#revoking = key;
      tell(this.#revokeProblem, sentenceFor(error));
      return;
    }
    this.#revokeDialog.close();
    this.#done.textContent = `“${key.name}” is revoked.`;
    await this.refresh();
    this.#create.focus(); // the button that opened the dialog is gone
  }
}

function limitsOf({ requests_per_minute, tokens_per_minute, monthly_budget_usd }: Key): string[] {
  return [
    requests_per_minute === null ? '' : `${count(requests_per_minute)} requests/min`,
    tokens_per_minute === null ? '' : `${count(tokens_per_minute)} tokens/min`,
    monthly_budget_usd === null ? '' : `${dollars(monthly_budget_usd)} a month`,
  ].filter(Boolean);
}
