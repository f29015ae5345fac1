import { stripVTControlCharacters } from 'node:util';

/**
 * Where a long command is, told on standard error: a live line on a terminal, a plain line a stage in CI,
 * a JSON object a line with `--json`. Results never pass through here; they go to standard output.
 */
export interface Progress {
  /** Runs one stage and says when it began, how it ended and how many seconds it took. */
  stage<T>(title: string, work: (say: (detail: string) => void) => Promise<T>): Promise<T>;
  /** Something the reader must not miss. */
  warn(text: string): void;
  /** Seconds of every stage that ended, in the order they ended. */
  readonly seconds: ReadonlyMap<string, number>;
}

export type ProgressStyle = 'terminal' | 'plain' | 'json';

/**
 * Chooses the style: `--json` wins, then whether standard error is a terminal. `CI` says that nobody is looking,
 * unless it is empty or `false`.
 */
export function progressStyle(
  json: boolean,
  env: NodeJS.ProcessEnv,
  stream: { isTTY?: boolean },
): ProgressStyle {
  if (json) return 'json';
  const watched = env.CI === undefined || env.CI === '' || env.CI === 'false';
  return stream.isTTY === true && watched && env.TERM !== 'dumb' ? 'terminal' : 'plain';
}

/** Back to the first column, and the row empty. */
const CLEAR = '\r\x1b[2K';

/** @param env read for `NO_COLOR` (https://no-color.org). */
export function createProgress(
  style: ProgressStyle,
  env: NodeJS.ProcessEnv,
  stream: { write(text: string): unknown; columns?: number },
): Progress {
  const seconds = new Map<string, number>();
  const live = style === 'terminal';
  const paint = live && !env.NO_COLOR ? colour : (_: number, text: string) => text;
  const line = (text: string) => stream.write(`${live ? CLEAR : ''}${text}\n`);
  const event = (fields: Record<string, unknown>) => stream.write(`${JSON.stringify(fields)}\n`);

  return {
    seconds,
    warn(text) {
      if (style === 'json') event({ event: 'warning', text });
      else line(`${paint(33, 'warning')} ${text}`);
    },
    async stage(title, work) {
      const start = performance.now();
      const since = () => Math.round((performance.now() - start) / 100) / 10;
      const show = (text: string) => {
        if (live) stream.write(`${CLEAR}${paint(36, '...')} ${fit(text, (stream.columns ?? 80) - 4)}`);
      };
      const say = (detail: string) => {
        if (style === 'json') event({ event: 'progress', stage: title, detail });
        else show(`${title} (${since()} s): ${detail}`);
      };
      const end = (outcome: 'done' | 'failed', code: number) => {
        const took = since();
        seconds.set(title, took);
        if (style === 'json') event({ event: outcome, stage: title, seconds: took });
        else line(`${paint(code, outcome)} ${title} ${paint(2, `${took} s`)}`);
      };
      if (style === 'json') event({ event: 'start', stage: title });
      else show(title);
      try {
        const result = await work(say);
        end('done', 32);
        return result;
      } catch (error) {
        end('failed', 31);
        throw error;
      }
    },
  };
}

function colour(code: number, text: string): string {
  return `\x1b[${code}m${text}\x1b[0m`;
}

/** One terminal row: a longer one would wrap and could not be overwritten. What a tool printed may hold colours. */
function fit(text: string, columns: number): string {
  const flat = stripVTControlCharacters(text).replace(/\s+/g, ' ');
  return flat.length < columns ? flat : `${flat.slice(0, columns - 2)}…`;
}
