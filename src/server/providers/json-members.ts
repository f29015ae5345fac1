import { randomUUID } from 'node:crypto';
import { JsonScanner, NotAnObject, type Span } from './json-scanner.ts';

/**
 * A JSON object as bytes, of which single members are read and replaced. All other bytes stay as they are: what
 * passes through is not parsed and written anew, which would round large numbers and hold a large image
 * several times over in memory.
 */
export class JsonMembers {
  readonly bytes: Buffer;
  readonly #found: JsonScanner;
  /** What stands for images, files and recordings in a text: nobody can have written it before. */
  #mark: string | undefined;

  /** @throws NotAnObject; what is inside of members is only checked as far as finding their end needs */
  constructor(bytes: Buffer) {
    this.bytes = bytes;
    this.#found = new JsonScanner(bytes);
  }

  /**
   * The value of a member, the last one where it is there twice, as `JSON.parse` takes it.
   *
   * @throws NotAnObject where the value is no JSON
   */
  get(name: string): unknown {
    const span = this.#found.spans.get(name)?.at(-1);
    if (span === undefined) return undefined;
    try {
      return JSON.parse(this.bytes.toString('utf8', span.start, span.end));
    } catch {
      throw new NotAnObject(span.start);
    }
  }

  /** How many images, files and recordings there are. */
  get mediaCount(): number {
    return this.#found.media.length;
  }

  /** How many bytes those take. */
  get mediaBytes(): number {
    return this.#found.media.reduce((sum, { start, end }) => sum + end - start, 0);
  }

  /**
   * The whole object. In place of images, files and recordings it has short marks, so that these never become
   * strings: some megabytes of them would fill the heap. `restore` puts them back.
   *
   * @throws NotAnObject
   */
  parse(): unknown {
    this.#mark ??= `media-${this.#found.media.length > 0 ? randomUUID() : ''}-`;
    const parts: string[] = [];
    let from = 0;
    for (const [index, { start, end }] of this.#found.media.entries()) {
      parts.push(this.bytes.toString('utf8', from, start), `${this.#mark}${index};`);
      from = end;
    }
    parts.push(this.bytes.toString('utf8', from));
    try {
      return JSON.parse(parts.join(''));
    } catch {
      throw new NotAnObject(0);
    }
  }

  /** JSON made of what `parse` returned, with the images, files and recordings in their places. */
  restore(json: string): Buffer {
    if (this.#found.media.length === 0 || this.#mark === undefined) return Buffer.from(json);
    const parts = json.split(new RegExp(`${this.#mark}(\\d+);`)).map((part, index) => {
      if (index % 2 === 0) return Buffer.from(part);
      const { start, end } = this.#found.media[Number(part)] ?? { start: 0, end: 0 };
      return this.bytes.subarray(start, end);
    });
    return Buffer.concat(parts);
  }

  /** The same bytes with these members put in place of their namesakes, or in front. */
  with(members: Readonly<Record<string, unknown>>): Buffer {
    const edits: (Span & { readonly text: string })[] = [];
    const added: string[] = [];
    for (const [name, value] of Object.entries(members)) {
      const text = JSON.stringify(value);
      const spans = this.#found.spans.get(name);
      if (spans === undefined) added.push(`${JSON.stringify(name)}:${text}`);
      else edits.push(...spans.map((span) => ({ ...span, text })));
    }
    edits.sort((a, b) => a.start - b.start);
    const front = added.join(',') + (added.length > 0 && this.#found.spans.size > 0 ? ',' : '');
    const parts: Buffer[] = [this.bytes.subarray(0, this.#found.firstMember), Buffer.from(front)];
    let from = this.#found.firstMember;
    for (const { start, end, text } of edits) {
      parts.push(this.bytes.subarray(from, start), Buffer.from(text));
      from = end;
    }
    return Buffer.concat([...parts, this.bytes.subarray(from)]);
  }
}
