import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { Listener } from '../../../src/server/http/listener.ts';
import { freePort } from '../free-port.ts';

let port: number;
let listener: Listener;
before(async () => {
  port = await freePort();
  listener = new Listener(() => new Response('fine'));
  await listener.listen(port, '127.0.0.1');
});
after(async () => {
  await listener.drain(0);
});

async function answerTo(message: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  let text = '';
  socket.on('data', (chunk) => {
    text += String(chunk);
  });
  socket.write(message);
  await once(socket, 'close');
  return text;
}

describe('what is no HTTP request is answered as other errors are', () => {
  const cases: readonly [string, string, number][] = [
    ['nonsense', 'hello\r\n\r\n', 400],
    ['a header without a colon', 'GET / HTTP/1.1\r\nHost: a\r\nnonsense\r\n\r\n', 400],
    [
      'two lengths',
      'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n',
      400,
    ],
    ['TLS', '\x16\x03\x01\x02\x00\x01\x00', 400],
    ['too many headers', `GET / HTTP/1.1\r\nHost: a\r\nx: ${'y'.repeat(20_000)}\r\n\r\n`, 431],
  ];
  for (const [name, message, status] of cases) {
    test(name, async () => {
      const text = await answerTo(message);
      const [head = '', body = ''] = text.split('\r\n\r\n');
      assert.match(head, new RegExp(`^HTTP/1\\.1 ${status} [\\s\\S]*Connection: close`));
      const { error } = JSON.parse(body) as { error: Record<string, unknown> };
      assert.deepEqual(Object.keys(error).sort(), ['code', 'message', 'param', 'type']);
      assert.equal(error.code, 'bad_request');
    });
  }
});
