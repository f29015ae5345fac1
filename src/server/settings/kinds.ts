import { isIP } from 'node:net';
import { z } from 'zod';
import { readModelName } from '../providers/model-name.ts';
import { Secret } from './secret.ts';

/** What people are told about a setting: in faults, `.env.example` and docs/SETTINGS.md. */
export interface About {
  readonly description: string;
  readonly example: string;
  /** The rule a value must keep, as the end of "NAME ...". */
  readonly rule: string;
  /** A secret can also be given as NAME_FILE. */
  readonly secret?: true;
}

export const about = z.registry<About>();

/** What a setting of one of these kinds has to say for itself. */
type Texts = Omit<About, 'rule' | 'secret'>;

// Keys of the three providers are under 200 characters; a longer text is some other file.
const LONGEST_SECRET = 1000;

/** Visible ASCII without quotes and backslash, so that a key reads the same in a header and in JSON. */
const KEY_CHARACTERS = /^[!#-&(-[\]-~]+$/;

/** A key or another secret word. @param shortest how many characters it has at least */
export function secret(texts: Texts, shortest = 1) {
  const rule = `must be the key alone${shortest > 1 ? `, ${shortest} characters or more` : ''}: no quotes, spaces or line breaks, and not the "..." of an example`;
  return secretText(KEY_CHARACTERS, shortest, rule, texts);
}

/** Headers that may hold a secret, as OpenTelemetry writes them. */
export function secretHeaders(texts: Texts) {
  const rule = 'must be like name=value,other=value, with special characters of values as %XX';
  return secretText(/^[\w-]+=[!#-&(-+\--[\]-~]+(,[\w-]+=[!#-&(-+\--[\]-~]+)*$/, 1, rule, texts);
}

function secretText(pattern: RegExp, shortest: number, rule: string, texts: Texts) {
  return z
    .string()
    .min(shortest, rule)
    .max(LONGEST_SECRET, rule)
    .regex(pattern, rule)
    .refine((value) => !value.endsWith('...'), rule)
    .transform((value) => new Secret(value))
    .optional()
    .register(about, { ...texts, rule, secret: true });
}

export function wholeNumber(low: number, high: number, standard: number, texts: Texts) {
  const rule = `must be a whole number from ${low} to ${high}`;
  return z
    .string()
    .regex(/^\d{1,9}$/, rule)
    .transform(Number)
    .refine((value) => value >= low && value <= high, rule)
    .default(standard)
    .register(about, { ...texts, rule });
}

/** One of some words, in any case. */
export function oneOf<const Word extends string>(words: readonly Word[], standard: Word, texts: Texts) {
  const rule = `must be one of ${words.join(', ')}, in any case`;
  return z
    .string()
    .toLowerCase()
    .pipe(z.enum(words, rule))
    .default(standard as never) // TypeScript can not tell that the words' type is that of `standard`
    .register(about, { ...texts, rule });
}

export function address(standard: string, texts: Texts) {
  const rule = 'must be an IPv4 or IPv6 address, or localhost';
  return z
    .union([z.ipv4(), z.ipv6(), z.literal('localhost')], rule)
    .default(standard)
    .register(about, { ...texts, rule });
}

const PATH_RULE = 'must be an absolute path';

function path() {
  return z.string().regex(/^(\/|[A-Za-z]:[\\/])[^\0]*$/, PATH_RULE);
}

export function directory(standard: string, texts: Texts) {
  return path()
    .default(standard)
    .register(about, { ...texts, rule: PATH_RULE });
}

export function optionalFile(texts: Texts) {
  return path()
    .optional()
    .register(about, { ...texts, rule: PATH_RULE });
}

const BASE_URL_RULE = 'must be an http: or https: URL without user, query and fragment';

/** The address of another service; without the slash at its end. */
function url() {
  return z
    .string()
    .refine(isBaseUrl, BASE_URL_RULE)
    .transform((value) => value.replace(/\/+$/, ''));
}

function isBaseUrl(value: string): boolean {
  if (!URL.canParse(value)) return false;
  const { protocol, username, password, search, hash } = new URL(value);
  return /^https?:$/.test(protocol) && [username, password, search, hash].every((part) => part === '');
}

export function baseUrl(standard: string, texts: Texts) {
  return url()
    .default(standard)
    .register(about, { ...texts, rule: BASE_URL_RULE });
}

export function optionalUrl(texts: Texts) {
  return url()
    .optional()
    .register(about, { ...texts, rule: BASE_URL_RULE });
}

/** What a browser calls an origin: scheme, host and port. */
function isOrigin(value: string): boolean {
  return /^https?:/.test(value) && URL.canParse(value) && new URL(value).origin === value;
}

export function origin(texts: Texts) {
  const rule =
    'must be like https://thoth.example.com: a scheme, a host in lower case, and a port if need be';
  return z
    .string()
    .transform((value) => value.replace(/\/$/, ''))
    .refine(isOrigin, rule)
    .optional()
    .register(about, { ...texts, rule });
}

export function origins(texts: Texts) {
  const rule = 'must be origins like https://app.example.com, with commas between';
  return list((value) => value.every(isOrigin), rule)
    .optional()
    .register(about, { ...texts, rule });
}

export function networks(texts: Texts) {
  const rule = 'must be IP addresses or networks like 10.0.0.0/8, with commas between';
  return list((value) => value.every(isNetwork), rule)
    .optional()
    .register(about, { ...texts, rule });
}

function isNetwork(value: string): boolean {
  const [ip = '', bits, ...rest] = value.split('/');
  const family = isIP(ip);
  if (family === 0 || rest.length > 0) return false;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128));
}

/** Names that each stand for a model of a provider or, where there may be `several`, for some with + between. */
export function modelNames(several: boolean, texts: Texts) {
  const rule = several
    ? 'must be like openai/gpt-4o=anthropic/claude-sonnet-4-5+google/gemini-2.5-pro, with commas between'
    : 'must be like fast=openai/gpt-4o-mini, with commas between';
  return list((value) => value.every((item) => isRename(item, several)), rule)
    .transform((value) => new Map(value.map(rename)))
    .optional()
    .register(about, { ...texts, rule });
}

function isRename(item: string, several: boolean): boolean {
  const [name, targets] = rename(item);
  return name !== '' && targets.every(readModelName) && (several || targets.length === 1);
}

function rename(item: string): [name: string, targets: readonly string[]] {
  const [name = '', targets = '', ...rest] = item.split('=').map((part) => part.trim());
  return [name, rest.length > 0 ? [''] : targets.split('+').map((target) => target.trim())];
}

function list(valid: (value: readonly string[]) => boolean, rule: string) {
  return z
    .string()
    .transform((value) => value.split(',').map((item) => item.trim()))
    .refine(valid, rule);
}
