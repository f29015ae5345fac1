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

export type ProgressStyle = 'terminal' | 'plain' | 'json' | 'silent';

/** Chooses the style: `--json` wins, then whether standard error is a terminal and CI isn't set. */
export function progressStyle(
  json: boolean,
  env: NodeJS.ProcessEnv,
  stream: { isTTY?: boolean },
): ProgressStyle {
  if (json) return 'json';
  return stream.isTTY === true && env.CI === undefined && env.TERM !== 'dumb' ? 'terminal' : 'plain';
}

/** @param env read for `NO_COLOR` (https://no-color.org). */
export function createProgress(
  style: ProgressStyle,
  env: NodeJS.ProcessEnv,
  stream: { write(text: string): unknown; columns?: number },
): Progress {
  const seconds = new Map<string, number>();
  const paint =
    style === 'terminal' && (env.NO_COLOR ?? '') === '' ? colour : (_: number, text: string) => text;
  const line = (text: string) => stream.write(`${text}\n`);
  const event = (fields: Record<string, unknown>) => line(JSON.stringify(fields));

  return {
    seconds,
    warn(text) {
      if (style === 'json') event({ event: 'warning', text });
      else if (style !== 'silent')
        line(`${style === 'terminal' ? '\r\x1b[2K' : ''}${paint(33, 'warning')} ${text}`);
    },
    async stage(title, work) {
      const start = performance.now();
      const since = () => Math.round((performance.now() - start) / 100) / 10;
      const live = (text: string) => stream.write(`\r\x1b[2K${fit(text, stream.columns ?? 100)}`);
      if (style === 'json') event({ event: 'start', stage: title });
      if (style === 'terminal') live(`${paint(36, '...')} ${title}`);
      const say = (detail: string) => {
        if (style === 'json') event({ event: 'progress', stage: title, detail });
        if (style === 'terminal') live(`${paint(36, '...')} ${title}: ${detail} (${since()} s)`);
      };
      try {
        const result = await work(say);
        seconds.set(title, since());
        if (style === 'json') event({ event: 'done', stage: title, seconds: since() });
        if (style === 'terminal') stream.write('\r\x1b[2K');
        if (style !== 'json' && style !== 'silent')
          line(`${paint(32, 'done')} ${title} ${paint(2, `${since()} s`)}`);
        return result;
      } catch (error) {
        seconds.set(title, since());
        if (style === 'json') event({ event: 'failed', stage: title, seconds: since() });
        if (style === 'terminal') stream.write('\r\x1b[2K');
        if (style !== 'json' && style !== 'silent')
          line(`${paint(31, 'failed')} ${title} ${paint(2, `${since()} s`)}`);
        throw error;
      }
    },
  };
}

function colour(code: number, text: string): string {
  return `\x1b[${code}m${text}\x1b[0m`;
}

/** One terminal row: a longer one would wrap and could not be overwritten. */
function fit(text: string, columns: number): string {
  const flat = text.replace(/\s+/g, ' ');
  return flat.length < columns + 9 ? flat : `${flat.slice(0, columns + 8)}…`;
}
