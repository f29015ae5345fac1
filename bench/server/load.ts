import { Pool } from 'undici';

/** How requests fared. Times are milliseconds. */
export interface Load {
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
}

/**
 * Sends requests for a time, each lane the next one as soon as it has its answer.
 *
 * @throws Error at the first answer that is not 200
 */
export async function load(
  url: string,
  request: { headers: Readonly<Record<string, string>>; body: string },
  options: { lanes: number; seconds: number },
): Promise<Load> {
  const { origin, pathname: path } = new URL(url);
  const pool = new Pool(origin, { connections: options.lanes, pipelining: 1 });
  const headers = { 'content-type': 'application/json', ...request.headers };
  const times: number[] = [];
  const begun = performance.now();
  const end = begun + options.seconds * 1_000;
  const lane = async () => {
    while (performance.now() < end) {
      const sent = performance.now();
      const answer = await pool.request({ method: 'POST', path, headers, body: request.body });
      const text = await answer.body.text();
      if (answer.statusCode !== 200)
        throw new Error(`${url} answered ${answer.statusCode}: ${text.slice(0, 300)}`);
      times.push(performance.now() - sent);
    }
  };
  await Promise.all(Array.from({ length: options.lanes }, lane));
  const seconds = (performance.now() - begun) / 1_000;
  await pool.close();
  times.sort((a, b) => a - b);
  const at = (part: number) =>
    times[Math.min(times.length - 1, Math.floor(times.length * part))] ?? Number.NaN;
  return { perSecond: times.length / seconds, p50: at(0.5), p99: at(0.99) };
}
