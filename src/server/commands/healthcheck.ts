import { get } from 'node:http';
import { EXIT } from '../exit.ts';
import { readSetting } from '../settings/read.ts';
import { type Command, print } from './command.ts';

// Below the 3 s after which Docker gives up on the check, so that the reason below is still printed.
const ANSWER_WITHIN_MS = 2_000;

/** `thoth healthcheck`: asks the service in the same container for /health. Exit code 0 or 1. */
export const healthcheck: Command = {
  async run(input) {
    const port = readSetting(process.env, 'PORT');
    const problem = await problemAt(askedAt(readSetting(process.env, 'HOST')), port);
    if (input.json) print(input, { healthy: problem === undefined, ...(problem && { problem }) }, '');
    else if (problem !== undefined) process.stderr.write(`thoth healthcheck: ${problem}\n`);
    return problem === undefined ? EXIT.done : EXIT.failed;
  },
};

async function problemAt(host: string, port: number): Promise<string | undefined> {
  try {
    const status = await ask(host, port);
    return status === 200 ? undefined : `/health answered ${status}`;
  } catch (error) {
    return `${reason(error)} on port ${port}`;
  }
}

/** A service that listens on every address is asked on loopback; one that listens on one, there. */
function askedAt(host: string): string {
  return host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host;
}

function ask(host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(ANSWER_WITHIN_MS);
    const request = get({ host, port, path: '/health', agent: false, signal }, (answer) => {
      answer.on('error', reject);
      answer.on('end', () => resolve(answer.statusCode ?? 0));
      answer.resume();
    });
    request.on('error', reject);
  });
}

function reason(error: unknown): string {
  if (!(error instanceof Error)) return 'no answer';
  if (error.name === 'AbortError') return `no answer within ${ANSWER_WITHIN_MS / 1000} seconds`;
  return 'code' in error && error.code === 'ECONNREFUSED' ? 'nothing listens' : error.message;
}
