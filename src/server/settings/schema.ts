import { z } from 'zod';
import {
  type About,
  about,
  address,
  baseUrl,
  directory,
  modelNames,
  networks,
  oneOf,
  optionalFile,
  optionalUrl,
  origin,
  origins,
  secret,
  secretHeaders,
  wholeNumber,
} from './kinds.ts';
import { Secret } from './secret.ts';

/** Long enough that nobody guesses it, however fast they try. */
const SHORTEST_ADMIN_KEY = 32;

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;

/**
 * Every setting, each under the name of its environment variable. Values come as trimmed, non-empty text;
 * an absent one takes its default.
 */
export const Settings = z.object({
  OPENAI_API_KEY: secret({ description: 'API key for OpenAI.', example: 'sk-...' }),
  ANTHROPIC_API_KEY: secret({ description: 'API key for Anthropic.', example: 'sk-ant-...' }),
  GOOGLE_API_KEY: secret({ description: 'API key for Google (Gemini).', example: 'AIza...' }),
  OPENAI_BASE_URL: baseUrl('https://api.openai.com/v1', {
    description: 'Where OpenAI is, or what speaks its protocol: Azure, vLLM, Ollama.',
    example: 'http://ollama:11434/v1',
  }),
  ANTHROPIC_BASE_URL: baseUrl('https://api.anthropic.com', {
    description: 'Where Anthropic is.',
    example: 'https://anthropic.example.com',
  }),
  GOOGLE_BASE_URL: baseUrl('https://generativelanguage.googleapis.com', {
    description: "Where Google's Gemini API is.",
    example: 'https://gemini.example.com',
  }),
  MODEL_ALIASES: modelNames(false, {
    description: 'Further names for models.',
    example: 'fast=openai/gpt-4o-mini,smart=anthropic/claude-sonnet-4-5',
  }),
  MODEL_FALLBACKS: modelNames(true, {
    description:
      'Which models stand in, in this order, where one can not be had: its provider is down, slow to answer or out of quota. The name on the left is as clients write it.',
    example: 'openai/gpt-4o=anthropic/claude-sonnet-4-5+google/gemini-2.5-pro',
  }),
  UPSTREAM_RETRIES: wholeNumber(0, 10, 2, {
    description:
      'How often a request is sent to the same provider again after a failure that may pass. Never after the first byte of an answer.',
    example: '1',
  }),
  UPSTREAM_FIRST_BYTE_SECONDS: wholeNumber(1, 3600, 300, {
    description:
      'Seconds that a provider may take, a try, to begin its answer. One that is not streamed begins when it is whole.',
    example: '60',
  }),
  UPSTREAM_IDLE_SECONDS: wholeNumber(1, 3600, 120, {
    description: 'Seconds that a provider may be silent within an answer.',
    example: '30',
  }),
  BREAKER_FAILURES: wholeNumber(1, 1000, 5, {
    description:
      'After how many failures in a row a provider is left alone for a while: requests fall back or are answered 503 at once.',
    example: '10',
  }),
  BREAKER_SECONDS: wholeNumber(1, 3600, 10, {
    description: 'Seconds that it is left alone; then one request tries it again.',
    example: '30',
  }),
  MAX_CONCURRENT_REQUESTS: wholeNumber(1, 100_000, 256, {
    description: 'How many requests may be at the providers at the same time. Further ones wait.',
    example: '64',
  }),
  MAX_QUEUED_REQUESTS: wholeNumber(0, 100_000, 256, {
    description: 'How many requests may wait for that. Further ones are answered 503 with Retry-After.',
    example: '0',
  }),
  QUEUE_SECONDS: wholeNumber(1, 3600, 30, {
    description: 'Seconds that a request may wait before it is answered 503 with Retry-After.',
    example: '5',
  }),
  MAX_BODY_MB: wholeNumber(1, 100, 20, {
    description: 'The largest request, in units of 1,048,576 bytes. A larger one is answered 413.',
    example: '50',
  }),
  METRICS: oneOf(['key', 'open', 'off'], 'key', {
    description:
      'Who may read /metrics: whoever has a key with the scope usage, everybody, or nobody. It names no key and no prompt.',
    example: 'open',
  }),
  CORS_ORIGINS: origins({
    description: 'Web pages of which origins may call the API from a browser. None, by default.',
    example: 'https://app.example.com,http://localhost:3000',
  }),
  PUBLIC_URL: origin({
    description:
      'Where users reach the service. With https: it is served by HTTPS alone: requests that did not come to a trusted proxy by HTTPS are sent there or refused, but for /health, /ready and an open /metrics.',
    example: 'https://thoth.example.com',
  }),
  TRUSTED_PROXIES: networks({
    description:
      'Which proxies are believed what they say of the client in X-Forwarded-For and X-Forwarded-Proto. None, by default.',
    example: '10.0.0.0/8,fd00::/8',
  }),
  OTEL_EXPORTER_OTLP_ENDPOINT: optionalUrl({
    description:
      'Where traces are sent, as OTLP over HTTP with JSON, to /v1/traces below it. Nowhere, by default.',
    example: 'http://collector:4318',
  }),
  OTEL_EXPORTER_OTLP_HEADERS: secretHeaders({
    description: 'Headers for that, such as a key: name=value, with commas between.',
    example: 'x-api-key=...',
  }),
  THOTH_ADMIN_KEY: secret(
    {
      description:
        'A client key for everything, of your own making (openssl rand -hex 32). Without it, the first start makes one and prints it once.',
      example: '0123456789...',
    },
    SHORTEST_ADMIN_KEY,
  ),
  AUTH: oneOf(['on', 'off'], 'on', {
    description: 'Whether requests need a client key. It may be off only where HOST is loopback.',
    example: 'on',
  }),
  PRICES_FILE: optionalFile({
    description: "A JSON file of models' prices, which come before those that are built in: docs/API.md.",
    example: '/srv/thoth/prices.json',
  }),
  USAGE_DAYS: wholeNumber(1, 3650, 90, {
    description:
      'Days that single requests are kept in /v1/usage/requests. The sums of each hour are kept for two years.',
    example: '30',
  }),
  LOG_PROMPTS: oneOf(['false', 'true'], 'false', {
    description:
      'Whether the log has what is asked, word for word. Answers are never logged, and usage has neither.',
    example: 'true',
  }),
  LOG_LEVEL: oneOf(LOG_LEVELS, 'info', {
    description: 'How much is logged: lines of this level and of the more severe ones.',
    example: 'debug',
  }),
  HOST: address('0.0.0.0', {
    description: 'The address to listen on. Leave it in a container, where the published ports decide.',
    example: '127.0.0.1',
  }),
  PORT: wholeNumber(1, 65_535, 8000, {
    description: 'The TCP port to listen on.',
    example: '8080',
  }),
  DATA_DIR: directory('/app/data', {
    description:
      'The directory of what has to survive a restart. While it is missing or can not be written, /ready answers 503.',
    example: '/srv/thoth',
  }),
  SHUTDOWN_SECONDS: wholeNumber(0, 3600, 10, {
    description:
      'Seconds that requests in flight may still take after SIGTERM or SIGINT. The container needs a longer stop timeout: Docker kills it after 10 seconds unless told otherwise.',
    example: '30',
  }),
});

export type Settings = z.infer<typeof Settings>;
export type SettingName = keyof typeof Settings.shape;

export const SETTING_NAMES = Object.keys(Settings.shape) as readonly SettingName[];
export const PROVIDER_KEYS = ['OPENAI_API_KEY', 'ANTHROPIC_API_KEY', 'GOOGLE_API_KEY'] as const;

/** What is known about a setting. */
export function aboutSetting(name: SettingName): About {
  const found = about.get(Settings.shape[name]);
  if (found === undefined) throw new Error(`The setting ${name} has no description.`);
  return found;
}

/** The secrets among `settings`, for the log to keep out. */
export function secretsOf(settings: Settings): Secret[] {
  return Object.values(settings).filter((value) => value instanceof Secret);
}
