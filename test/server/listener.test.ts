import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { test } from 'node:test';
import { Failure } from '../../src/server/failure.ts';
import { Listener } from '../../src/server/http/listener.ts';
import { freePort } from './free-port.ts';

/** A listener that answers when `release` is called, and the text that a client got from it. */
async function slow() {
  const port = await freePort();
  let release = () => {};
  let asked = () => {};
  const arrived = new Promise<void>((resolve) => {
    asked = resolve;
  });
  const wait = new Promise<void>((resolve) => {
    release = resolve;
  });
  const listener = new Listener(async () => {
    asked();
    await wait;
    return new Response('whole answer');
  });
  await listener.listen(port, '127.0.0.1');
  return { port, listener, arrived, release };
}

async function open(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  return socket;
}

async function textUntilEnd(socket: Socket): Promise<string> {
  let text = '';
  socket.on('data', (chunk) => {
    text += String(chunk);
  });
  await new Promise((resolve) => socket.once('close', resolve));
  return text;
}

const REQUEST = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';

test('drain answers the request in flight, tells the client to close, and ends silent connections', async () => {
  const { port, listener, arrived, release } = await slow();
  const [asking, silent] = [await open(port), await open(port)];
  const answer = textUntilEnd(asking);
  const ended = textUntilEnd(silent);
  asking.write(REQUEST);
  await arrived;
  const drained = listener.drain(60_000);
  await assert.rejects(open(port), { code: 'ECONNREFUSED' });
  release();
  assert.equal(await drained, 0);
  assert.match(
    await answer,
    /^HTTP\/1.1 200 OK\r\n[\s\S]*connection: close\r\n[\s\S]*\r\n\r\nwhole answer$/i,
  );
  assert.equal(await ended, '');
});

test('drain cuts off what is not finished at the limit and says how many', async () => {
  const { port, listener, arrived, release } = await slow();
  const socket = await open(port);
  const answer = textUntilEnd(socket);
  socket.write(REQUEST);
  await arrived;
  assert.equal(await listener.drain(0), 1);
  assert.equal(await answer, '');
  release();
});

test('a port in use is a failure with exit code 1 that names the port', async () => {
  const holder = createServer();
  const port = await freePort();
  holder.listen(port, '127.0.0.1');
  await once(holder, 'listening');
  await assert.rejects(new Listener(() => new Response()).listen(port, '127.0.0.1'), (error) => {
    assert.ok(error instanceof Failure);
    assert.equal(error.exitCode, 1);
    assert.match(error.describe(), new RegExp(`port ${port} on 127.0.0.1 is in use`));
    return true;
  });
  holder.close();
});

const hosts: readonly [string, string, RegExp][] = [
  [
    'malformed',
    'GET / HTTP/1.1\r\nHost: a b\r\nConnection: close\r\n\r\n',
    /^HTTP\/1.1 400 [\s\S]*"code":"bad_request"/,
  ],
  ['of another site', 'GET / HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n', /^HTTP\/1.1 200 /],
  ['absent, in HTTP/1.0', 'GET / HTTP/1.0\r\n\r\n', /^HTTP\/1.1 200 /],
];
for (const [name, request, expected] of hosts) {
  test(`a Host header: ${name}`, async () => {
    const { port, listener, release } = await slow();
    release();
    const socket = await open(port);
    const answer = textUntilEnd(socket);
    socket.write(request);
    assert.match(await answer, expected);
    await listener.drain(0);
  });
}
