import { randomUUID } from 'node:crypto';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const MOST_NESTED = 500;

/** A string this long that begins like base64 is no language: an image, a file or a recording. */
const MEDIA_BYTES = 4096;
const BASE64 = /^(?:[\w+/=-]|\\\/){512}/;
/** In front of it may be what it is. */
const DATA_URL = /^data:[^,"\s]{0,200},/;
const LOOKED_AT = 2048;

/** Where a value stands: the first byte, and the one after the last. */
interface Span {
  readonly start: number;
  readonly end: number;
}

/** That a text is no JSON object, and at which byte that shows. */
export class NotAnObject extends Error {
  override readonly name = 'NotAnObject';
  readonly at: number;

  constructor(at: number) {
    super(`not a JSON object, as byte ${at} shows`);
    this.at = at;
  }
}

/**
 * A JSON object as bytes, of which single members are read and replaced. All other bytes stay as they are: what
 * passes through is not parsed and written anew, which would round large numbers and hold a large image
 * several times over in memory.
 */
export class JsonMembers {
  readonly bytes: Buffer;
  /** Every occurrence of each name: JSON allows a name twice, and readers differ in which one they take. */
  readonly #spans = new Map<string, Span[]>();
  /** The images, files and recordings in it, as base64 without what is in front. */
  readonly #media: Span[] = [];
  /** What stands for them in a text: nobody can have written it before. Made when it is needed. */
  #mark: string | undefined;
  readonly #firstMember: number;
  #at = 0;

  /** @throws NotAnObject; what is inside of members is only checked as far as finding their end needs */
  constructor(bytes: Buffer) {
    this.bytes = bytes;
    this.#space();
    this.#expect(OPEN_OBJECT);
    this.#firstMember = this.#at;
    this.#space();
    if (bytes[this.#at] === CLOSE_OBJECT) this.#at++;
    else this.#members();
    this.#space();
    if (this.#at !== bytes.length) throw new NotAnObject(this.#at);
  }

  has(name: string): boolean {
    return this.#spans.has(name);
  }

  /** How many bytes the member takes; 0 where it is absent. */
  sizeOf(name: string): number {
    return (this.#spans.get(name) ?? []).reduce((sum, { start, end }) => sum + end - start, 0);
  }

  /**
   * The value of a member, the last one where it is there twice, as `JSON.parse` takes it.
   *
   * @throws NotAnObject where the value is no JSON
   */
  get(name: string): unknown {
    const span = this.#spans.get(name)?.at(-1);
    if (span === undefined) return undefined;
    try {
      return JSON.parse(this.bytes.toString('utf8', span.start, span.end));
    } catch {
      throw new NotAnObject(span.start);
    }
  }

  /** How many images, files and recordings there are. */
  get mediaCount(): number {
    return this.#media.length;
  }

  /** How many bytes those take. */
  get mediaBytes(): number {
    return this.#media.reduce((sum, { start, end }) => sum + end - start, 0);
  }

  /**
   * The whole object. In place of images, files and recordings it has short marks, so that these never become
   * strings: some megabytes of them would fill the heap. `restore` puts them back.
   *
   * @throws NotAnObject
   */
  parse(): unknown {
    this.#mark ??= `media-${this.#media.length > 0 ? randomUUID() : ''}-`;
    const parts: string[] = [];
    let from = 0;
    for (const [index, { start, end }] of this.#media.entries()) {
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
    if (this.#media.length === 0 || this.#mark === undefined) return Buffer.from(json);
    const parts = json.split(new RegExp(`${this.#mark}(\\d+);`)).map((part, index) => {
      if (index % 2 === 0) return Buffer.from(part);
      const { start, end } = this.#media[Number(part)] ?? { start: 0, end: 0 };
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
      const spans = this.#spans.get(name);
      if (spans === undefined) added.push(`${JSON.stringify(name)}:${text}`);
      else edits.push(...spans.map((span) => ({ ...span, text })));
    }
    edits.sort((a, b) => a.start - b.start);
    const front = added.join(',') + (added.length > 0 && this.#spans.size > 0 ? ',' : '');
    const parts: Buffer[] = [this.bytes.subarray(0, this.#firstMember), Buffer.from(front)];
    let from = this.#firstMember;
    for (const { start, end, text } of edits) {
      parts.push(this.bytes.subarray(from, start), Buffer.from(text));
      from = end;
    }
    return Buffer.concat([...parts, this.bytes.subarray(from)]);
  }

  #members(): void {
    for (;;) {
      this.#space();
      const name = this.#name();
      this.#space();
      this.#expect(COLON);
      this.#space();
      const start = this.#at;
      this.#value();
      const spans = this.#spans.get(name);
      if (spans === undefined) this.#spans.set(name, [{ start, end: this.#at }]);
      else spans.push({ start, end: this.#at });
      this.#space();
      if (this.bytes[this.#at] !== COMMA) break;
      this.#at++;
    }
    this.#expect(CLOSE_OBJECT);
  }

  #name(): string {
    const start = this.#at;
    this.#string();
    try {
      return String(JSON.parse(this.bytes.toString('utf8', start, this.#at)));
    } catch {
      throw new NotAnObject(start);
    }
  }

  #value(): void {
    const first = this.bytes[this.#at];
    if (first === QUOTE) this.#string();
    else if (first === OPEN_OBJECT || first === OPEN_ARRAY) this.#nested();
    else this.#literal();
  }

  /** Over an object or an array, to the byte after it. */
  #nested(): void {
    const closers: number[] = [];
    do {
      const byte = this.bytes[this.#at];
      if (byte === QUOTE) {
        this.#string();
        continue;
      }
      if (byte === undefined || closers.length > MOST_NESTED) throw new NotAnObject(this.#at);
      if (byte === OPEN_OBJECT) closers.push(CLOSE_OBJECT);
      else if (byte === OPEN_ARRAY) closers.push(CLOSE_ARRAY);
      else if ((byte === CLOSE_OBJECT || byte === CLOSE_ARRAY) && closers.pop() !== byte) {
        throw new NotAnObject(this.#at);
      }
      this.#at++;
    } while (closers.length > 0);
  }

  #string(): void {
    const start = this.#at;
    this.#expect(QUOTE);
    for (;;) {
      const end = this.bytes.indexOf(QUOTE, this.#at);
      if (end === -1) throw new NotAnObject(start);
      this.#at = end + 1;
      let escapes = 0;
      while (this.bytes[end - 1 - escapes] === BACKSLASH) escapes++;
      if (escapes % 2 === 0) break;
    }
    if (this.#at - start > MEDIA_BYTES) this.#noteMedia({ start: start + 1, end: this.#at - 1 });
  }

  #noteMedia({ start, end }: Span): void {
    const text = this.bytes.toString('latin1', start, start + LOOKED_AT);
    const prefix = DATA_URL.exec(text)?.[0].length ?? 0;
    if (BASE64.test(text.slice(prefix))) this.#media.push({ start: start + prefix, end });
  }

  /** Over a number, true, false or null. */
  #literal(): void {
    const start = this.#at;
    while (isLiteral(this.bytes[this.#at])) this.#at++;
    if (this.#at === start) throw new NotAnObject(start);
  }

  #space(): void {
    while (isSpace(this.bytes[this.#at])) this.#at++;
  }

  #expect(byte: number): void {
    if (this.bytes[this.#at] !== byte) throw new NotAnObject(this.#at);
    this.#at++;
  }
}

function isSpace(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

/** Letters, digits, and the signs of a number. */
function isLiteral(byte: number | undefined): boolean {
  if (byte === undefined) return false;
  return (
    (byte >= 0x30 && byte <= 0x39) ||
    (byte >= 0x61 && byte <= 0x7a) ||
    '+-.E'.includes(String.fromCharCode(byte))
  );
}
