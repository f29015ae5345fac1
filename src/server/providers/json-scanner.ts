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

/** Where something stands: the first byte, and the one after the last. */
export interface Span {
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

/** Finds the members of a JSON object in its bytes. What is inside of them is checked as far as finding their end needs. */
export class JsonScanner {
  /** Every occurrence of each name: JSON allows a name twice, and readers differ in which one they take. */
  readonly spans = new Map<string, Span[]>();
  /** The images, files and recordings in it, as base64 without what is in front. */
  readonly media: Span[] = [];
  /** Where the first member stands, or would. */
  readonly firstMember: number;
  readonly #bytes: Buffer;
  #at = 0;

  /** @throws NotAnObject */
  constructor(bytes: Buffer) {
    this.#bytes = bytes;
    this.#space();
    this.#expect(OPEN_OBJECT);
    this.firstMember = this.#at;
    this.#space();
    if (bytes[this.#at] === CLOSE_OBJECT) this.#at++;
    else this.#members();
    this.#space();
    if (this.#at !== bytes.length) throw new NotAnObject(this.#at);
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
      const spans = this.spans.get(name);
      if (spans === undefined) this.spans.set(name, [{ start, end: this.#at }]);
      else spans.push({ start, end: this.#at });
      this.#space();
      if (this.#bytes[this.#at] !== COMMA) break;
      this.#at++;
    }
    this.#expect(CLOSE_OBJECT);
  }

  #name(): string {
    const start = this.#at;
    this.#string();
    try {
      return String(JSON.parse(this.#bytes.toString('utf8', start, this.#at)));
    } catch {
      throw new NotAnObject(start);
    }
  }

  #value(): void {
    const first = this.#bytes[this.#at];
    if (first === QUOTE) this.#string();
    else if (first === OPEN_OBJECT || first === OPEN_ARRAY) this.#nested();
    else this.#literal();
  }

  /** Over an object or an array, to the byte after it. */
  #nested(): void {
    const closers: number[] = [];
    do {
      const byte = this.#bytes[this.#at];
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
      const end = this.#bytes.indexOf(QUOTE, this.#at);
      if (end === -1) throw new NotAnObject(start);
      this.#at = end + 1;
      let escapes = 0;
      while (this.#bytes[end - 1 - escapes] === BACKSLASH) escapes++;
      if (escapes % 2 === 0) break;
    }
    if (this.#at - start > MEDIA_BYTES) this.#noteMedia({ start: start + 1, end: this.#at - 1 });
  }

  #noteMedia({ start, end }: Span): void {
    const text = this.#bytes.toString('latin1', start, start + LOOKED_AT);
    const prefix = DATA_URL.exec(text)?.[0].length ?? 0;
    if (BASE64.test(text.slice(prefix))) this.media.push({ start: start + prefix, end });
  }

  /** Over a number, true, false or null. */
  #literal(): void {
    const start = this.#at;
    while (isLiteral(this.#bytes[this.#at])) this.#at++;
    if (this.#at === start) throw new NotAnObject(start);
  }

  #space(): void {
    while (isSpace(this.#bytes[this.#at])) this.#at++;
  }

  #expect(byte: number): void {
    if (this.#bytes[this.#at] !== byte) throw new NotAnObject(this.#at);
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
