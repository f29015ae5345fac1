import { z } from 'zod';
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

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;

// Keys of the three providers are under 200 characters; a longer text is some other file.
const LONGEST_KEY = 1000;

/** Visible ASCII without quotes and backslash, so that a key reads the same in a header and in JSON. */
const KEY_CHARACTERS = /^[!#-&(-[\]-~]+$/;

function providerKey(provider: string, example: string) {
  const rule = 'must be the key alone: no quotes, spaces or line breaks, and not the "..." of an example';
  return z
    .string()
    .max(LONGEST_KEY, rule)
    .regex(KEY_CHARACTERS, rule)
    .refine((value) => !value.endsWith('...'), rule)
    .transform((value) => new Secret(value))
    .optional()
    .register(about, { description: `API key for ${provider}.`, example, rule, secret: true });
}

function wholeNumber(low: number, high: number, standard: number, texts: Omit<About, 'rule'>) {
  const rule = `must be a whole number from ${low} to ${high}`;
  return z
    .string()
    .regex(/^\d{1,9}$/, rule)
    .transform(Number)
    .refine((value) => value >= low && value <= high, rule)
    .default(standard)
    .register(about, { ...texts, rule });
}

function levelSetting() {
  const rule = `must be one of ${LOG_LEVELS.join(', ')}, in any case`;
  return z.string().toLowerCase().pipe(z.enum(LOG_LEVELS, rule)).default('info').register(about, {
    description: 'How much is logged: lines of this level and of the more severe ones.',
    example: 'debug',
    rule,
  });
}

function hostSetting() {
  const rule = 'must be an IPv4 or IPv6 address, or localhost';
  return z
    .union([z.ipv4(), z.ipv6(), z.literal('localhost')], rule)
    .default('0.0.0.0')
    .register(about, {
      description: 'The address to listen on. Leave it in a container, where the published ports decide.',
      example: '127.0.0.1',
      rule,
    });
}

function directorySetting() {
  const rule = 'must be an absolute path';
  return z
    .string()
    .regex(/^(\/|[A-Za-z]:[\\/])[^\0]*$/, rule)
    .default('/app/data')
    .register(about, {
      description:
        'The directory of what has to survive a restart. While it is missing or can not be written, /ready answers 503.',
      example: '/srv/thoth',
      rule,
    });
}

/**
 * Every setting, each under the name of its environment variable. Values come as trimmed, non-empty text;
 * an absent one takes its default.
 */
export const Settings = z.object({
  OPENAI_API_KEY: providerKey('OpenAI', 'sk-...'),
  ANTHROPIC_API_KEY: providerKey('Anthropic', 'sk-ant-...'),
  GOOGLE_API_KEY: providerKey('Google (Gemini)', 'AIza...'),
  LOG_LEVEL: levelSetting(),
  HOST: hostSetting(),
  PORT: wholeNumber(1, 65_535, 8000, {
    description: 'The TCP port to listen on.',
    example: '8080',
  }),
  DATA_DIR: directorySetting(),
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
