import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A provider of models on this machine that takes one key. */
export interface Provider {
  readonly key: string;
  /** Its base URL, as containers reach it that know this machine by that address. */
  url(gateway: string): string;
  stop(): void;
}

/** Starts a provider with OpenAI's list of models, and its answer to a wrong key. */
export async function startProvider(key: string): Promise<Provider> {
  const server = createServer((request, answer) => {
    const valid = request.headers.authorization === `Bearer ${key}`;
    answer.writeHead(valid ? 200 : 401, { 'content-type': 'application/json' });
    const error = {
      message: 'Incorrect API key provided.',
      type: 'invalid_request_error',
      code: 'invalid_api_key',
    };
    answer.end(JSON.stringify(valid ? { object: 'list', data: [] } : { error }));
  });
  server.listen(0);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    key,
    stop: () => void server.close(),
    url: (gateway) => `http://${gateway}:${port}/v1`,
  };
}
