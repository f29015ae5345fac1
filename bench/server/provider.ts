// Stands in for OpenAI, in a process of its own: answers every chat completion at once, or in pieces where it is
// asked to stream. Prints its port.
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

const WORDS = 'All is well. '.repeat(40);
const USAGE = { prompt_tokens: 20, completion_tokens: 120, total_tokens: 140 };
const ABOUT = { id: 'chatcmpl-bench', created: 1_700_000_000, model: 'gpt-4o-mini' };

const ANSWER = Buffer.from(
  JSON.stringify({
    ...ABOUT,
    object: 'chat.completion',
    choices: [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', content: WORDS } }],
    usage: USAGE,
  }),
);

const PIECES = [
  ...WORDS.split(' ').map((word) => ({ choices: [{ index: 0, delta: { content: `${word} ` } }] })),
  { choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] },
  { choices: [], usage: USAGE },
].map((piece) => `data: ${JSON.stringify({ ...ABOUT, object: 'chat.completion.chunk', ...piece })}\n\n`);

const server = createServer((request, response) => {
  let streams = false;
  request.on('data', (chunk: Buffer) => {
    streams ||= chunk.includes('"stream":true');
  });
  request.on('end', () => {
    if (streams) return stream(response);
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': ANSWER.length });
    response.end(ANSWER);
  });
});
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1', () => console.log((server.address() as AddressInfo).port));

/** In eight parts with a turn of the event loop between, so that a client can leave in the middle. */
function stream(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  const part = Math.ceil(PIECES.length / 8);
  let sent = 0;
  const next = () => {
    if (response.destroyed) return;
    response.write(PIECES.slice(sent, sent + part).join(''));
    sent += part;
    if (sent < PIECES.length) setTimeout(next, 2);
    else response.end('data: [DONE]\n\n');
  };
  next();
}
