import { Models } from './answers.ts';
import { type Message, readChat } from './chat-stream.ts';
import { element, part, tell } from './element.ts';
import { count, duration } from './format.ts';
import { ask, askJson, sentenceFor } from './request.ts';

const MODEL_NAME = 'thoth.model';
/** An answer is long enough to follow it down only where the reader is at its end. */
const NEAR_END_PX = 40;

/** The view that tries a model. */
export class Chat {
  readonly #model = part('model', HTMLInputElement);
  readonly #models = part('models', HTMLDataListElement);
  readonly #modelsProblem = part('models-problem', HTMLElement);
  readonly #log = part('messages', HTMLElement);
  readonly #empty = this.#log.firstElementChild;
  readonly #problem = part('chat-problem', HTMLElement);
  readonly #form = part('composer', HTMLFormElement);
  readonly #prompt = part('prompt', HTMLTextAreaElement);
  readonly #send = part('send', HTMLButtonElement);
  readonly #stop = part('stop', HTMLButtonElement);
  #messages: Message[] = [];
  #asking: AbortController | undefined;

  constructor() {
    this.#form.addEventListener('submit', (event) => {
      event.preventDefault();
      void this.#submit();
    });
    this.#prompt.addEventListener('keydown', (event) => {
      // An input method uses Enter to take over what was composed.
      if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      this.#form.requestSubmit();
    });
    this.#stop.addEventListener('click', () => this.#asking?.abort());
    part('new-chat', HTMLButtonElement).addEventListener('click', () => {
      this.clear();
      this.#prompt.focus();
    });
    this.#model.value = sessionStorage.getItem(MODEL_NAME) ?? '';
    this.#model.addEventListener('change', () => sessionStorage.setItem(MODEL_NAME, this.#model.value));
  }

  /** Asks which models there are. */
  async open(): Promise<void> {
    try {
      const { data } = await askJson('v1/models', Models);
      this.#models.replaceChildren(...data.map(({ id }) => element('option', { value: id })));
      this.#model.value ||= data[0]?.id ?? '';
      tell(this.#modelsProblem, undefined);
    } catch (error) {
      tell(this.#modelsProblem, `${sentenceFor(error)} You can still type the name of a model.`);
    }
  }

  /** Forgets the conversation, and ends an answer that is under way. */
  clear(): void {
    this.#asking?.abort();
    this.#messages = [];
    this.#log.replaceChildren(...(this.#empty ? [this.#empty] : []));
    tell(this.#problem, undefined);
  }

  async #submit(): Promise<void> {
    const content = this.#prompt.value.trim();
    const model = this.#model.value.trim();
    if (this.#asking !== undefined || content === '') return;
    if (model === '') {
      tell(this.#problem, 'Name a model first.');
      this.#model.focus();
      return;
    }
    tell(this.#problem, undefined);
    this.#prompt.value = '';
    const messages = this.#messages;
    messages.push({ role: 'user', content });
    const question = this.#add('You', content, 'message own');
    const asking = new AbortController();
    this.#asking = asking;
    this.#show(true);
    try {
      if (await this.#answer(model, messages, asking.signal)) return;
      messages.pop();
      question.item.remove();
      if (messages === this.#messages) this.#prompt.value ||= content; // to be sent again
    } finally {
      this.#asking = undefined;
      this.#show(false);
    }
  }

  /** @returns whether there is an answer, or a part of one */
  async #answer(model: string, messages: Message[], signal: AbortSignal): Promise<boolean> {
    const { item, text } = this.#add(model, '', 'message');
    item.setAttribute('aria-busy', 'true');
    const begun = performance.now();
    const facts: string[] = [];
    try {
      const body = { model, messages, stream: true, stream_options: { include_usage: true } };
      const answer = await ask('v1/chat/completions', { method: 'POST', body, signal });
      for await (const piece of readChat(answer.body ?? new ReadableStream())) {
        if ('text' in piece) this.#append(text, piece.text);
        else if ('tokens' in piece) {
          facts.push(`${count(piece.tokens.input)} tokens in, ${count(piece.tokens.output)} out`);
        } else if (piece.finish === 'length') facts.push('cut at its greatest length');
      }
    } catch (error) {
      if (signal.aborted) facts.push('stopped');
      else tell(this.#problem, sentenceFor(error));
    }
    item.removeAttribute('aria-busy');
    const content = text.textContent ?? '';
    if (content === '') {
      item.remove();
      return false;
    }
    facts.unshift(duration(performance.now() - begun));
    item.append(element('p', { class: 'note' }, facts.join(' · ')));
    messages.push({ role: 'assistant', content });
    return true;
  }

  #show(busy: boolean): void {
    const hadFocus = document.activeElement === this.#send || document.activeElement === this.#stop;
    this.#send.hidden = busy;
    this.#stop.hidden = !busy;
    if (!hadFocus) return;
    if (busy) this.#stop.focus();
    else this.#prompt.focus();
  }

  #add(who: string, content: string, kind: string) {
    this.#empty?.remove();
    const text = element('p', { class: 'text' }, content);
    const item = element(
      'article',
      { class: kind, 'aria-label': who },
      element('p', { class: 'who' }, who),
      text,
    );
    this.#log.append(item);
    this.#log.scrollTop = this.#log.scrollHeight;
    return { item, text };
  }

  #append(place: HTMLElement, text: string): void {
    const { scrollTop, clientHeight, scrollHeight } = this.#log;
    const atEnd = scrollHeight - scrollTop - clientHeight < NEAR_END_PX;
    place.append(text);
    if (atEnd) this.#log.scrollTop = this.#log.scrollHeight;
  }
}
