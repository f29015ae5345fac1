import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { afterEach, test } from 'node:test';
import { ReleaseError } from '../../../src/release/errors.ts';
import type { PlatformImage } from '../../../src/release/image/layout.ts';
import type { RunningImage } from '../../../src/release/start/runner/runner.ts';
import { StartEvidence, startPlatform, waitForHealth } from '../../../src/release/start/start.ts';
import { POLICY, START } from '../config/defaults.ts';
import { failure } from '../machine/failure.ts';

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

const AS_USUAL = { start: START, healthcheck: POLICY.healthcheck };
const within = (seconds: number) => ({ ...START, seconds });

/** A server that answers the n-th request, from 1, with `answer`. */
async function serve(answer: (n: number, response: ServerResponse) => unknown) {
  const urls: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    urls.push(request.url);
    answer(urls.length, response);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  closing.push(() => {
    server.closeAllConnections();
    server.close();
    return once(server, 'close');
  });
  const address = server.address();
  assert.ok(address !== null && typeof address === 'object');
  return { url: `http://127.0.0.1:${address.port}`, urls };
}
const status = (code: number) => (_: number, response: ServerResponse) =>
  response.writeHead(code).end('body');

/** A port that was free a moment ago. */
async function refused(): Promise<string> {
  const { url } = await serve(status(200));
  await closing.pop()?.();
  return url;
}

test('it waits through other answers until the first 200', async () => {
  const { url, urls } = await serve((n, response) => response.writeHead(n < 4 ? 503 : 200).end());
  await waitForHealth(`${url}/health`, 'linux/arm64', START);
  assert.deepEqual(urls, Array(4).fill('/health'));
});

test('it waits until something listens', async () => {
  const server = createServer((_, response) => response.end());
  const url = await refused();
  closing.push(() => {
    server.closeAllConnections();
    server.close();
    return once(server, 'close');
  });
  const work = waitForHealth(url, 'linux/arm64', START);
  server.listen(Number(new URL(url).port), '127.0.0.1');
  await work;
});

test('it waits for the status and the text that the project asks for', async () => {
  const { url, urls } = await serve((n, response) =>
    response.writeHead(n === 1 ? 200 : 203).end(n < 4 ? 'starting' : 'I am ready.'),
  );
  await waitForHealth(url, 'linux/arm64', { status: 203, body: 'ready', seconds: 30 });
  assert.equal(urls.length, 4);
  const error = await failure(waitForHealth(url, 'linux/arm64', { status: 203, body: 'gone', seconds: 0.2 }));
  assert.match(error.message, /did not answer 203 within 0\.2 s \(no "gone" in the answer\)/);
});

const never: readonly (readonly [string, () => Promise<string>, RegExp])[] = [
  ['an error', async () => (await serve(status(500))).url, /within 0\.3 s \(status 500\)/],
  [
    'another success, since 200 is what is asked for',
    async () => (await serve(status(204))).url,
    /\(status 204\)/,
  ],
  ['a redirect', async () => (await serve(status(302))).url, /\(status 302\)/],
  ['nobody', refused, /\(ECONNREFUSED\)/],
  ['silence', async () => (await serve(() => undefined)).url, /\(no answer\)/],
  [
    'a broken connection',
    async () => (await serve((_, response) => response.destroy())).url,
    /\((UND_ERR_SOCKET|ECONNRESET)\)/,
  ],
];
for (const [name, start, message] of never) {
  test(`it gives up on ${name}`, async () => {
    const url = await start();
    const output = () => 'one\n\ntwo\n';
    const error = await failure(waitForHealth(url, 'linux/arm64', within(0.3), { output }));
    assert.equal(error.code, 'START_FAILED');
    assert.match(error.message, message);
    assert.match(error.message, /^linux\/arm64 does not start: /);
    assert.deepEqual(error.details, ['one', 'two']);
  });
}

test('a redirect is not followed', async () => {
  const { url, urls } = await serve((_, response) => response.writeHead(302, { Location: '/other' }).end());
  await failure(waitForHealth(`${url}/health`, 'linux/arm64', within(0.2)));
  assert.deepEqual([...new Set(urls)], ['/health']);
});

test('the last fifteen lines of what it printed are told', async () => {
  const output = () => Array.from({ length: 40 }, (_, n) => `line ${n}`).join('\n');
  const error = await failure(waitForHealth(await refused(), 'linux/arm64', within(0.1), { output }));
  assert.deepEqual(error.details, output().split('\n').slice(-15));
});

test('a program that ended is not waited for', async () => {
  const { url } = await serve(() => undefined);
  const options = { ended: Promise.resolve(3), output: () => 'why' };
  const error = await failure(waitForHealth(url, 'linux/arm64', START, options));
  assert.equal(error.code, 'START_FAILED');
  assert.match(error.message, /it ended with exit code 3 before it was healthy/);
  assert.deepEqual(error.details, ['why']);
});

test('what kept a program from running at all goes through', async () => {
  const cause = new ReleaseError('NO_RUNNER', 'no emulator', '');
  assert.equal(
    await failure(waitForHealth(await refused(), 'linux/arm64', START, { ended: Promise.reject(cause) })),
    cause,
  );
});

test('a signal ends the wait, also in the middle of a request', async () => {
  const control = new AbortController();
  const { url } = await serve(() => control.abort());
  const error = await failure(waitForHealth(url, 'linux/arm64', START, { signal: control.signal }));
  assert.equal(error.code, 'INTERRUPTED');
});

test('a signal given before asks nobody', async () => {
  const { url, urls } = await serve(status(200));
  const error = await failure(waitForHealth(url, 'linux/arm64', START, { signal: AbortSignal.abort() }));
  assert.equal(error.code, 'INTERRUPTED');
  assert.deepEqual(urls, []);
});

const image = { platform: 'linux/arm64', digest: `sha256:${'a'.repeat(64)}` } as PlatformImage;

/** A runner whose image answers at `url`; what was done with it is written down. */
function runnerOf(running: Partial<RunningImage>) {
  const done: string[] = [];
  const started: RunningImage = {
    url: '',
    ended: new Promise(() => undefined),
    output: () => 'printed',
    healthcheck: async () => 0,
    ...running,
    stop: async () => {
      done.push('stop');
    },
  };
  const start = async (layout: string, of: PlatformImage) => {
    done.push(`start ${layout} ${of.platform}`);
    return started;
  };
  return { runner: { name: 'a runner', together: () => true, start }, done };
}

test('a platform that answers and passes its own check is evidence, and is stopped', async () => {
  const { url, urls } = await serve(status(200));
  const { runner, done } = runnerOf({ url });
  const evidence = await startPlatform(runner, '/layout', image, AS_USUAL);
  assert.deepEqual(
    { ...evidence, seconds: 0 },
    { platform: 'linux/arm64', digest: image.digest, seconds: 0, runner: 'a runner' },
  );
  assert.deepEqual(StartEvidence.parse(JSON.parse(JSON.stringify(evidence))), evidence);
  assert.deepEqual(urls, ['/health']);
  assert.deepEqual(done, ['start /layout linux/arm64', 'stop']);
});

const unhealthy: readonly (readonly [string, Partial<RunningImage>, number, RegExp])[] = [
  [
    'fails its own HEALTHCHECK',
    { healthcheck: async () => 1 },
    200,
    /its HEALTHCHECK exits 1 though \/health answers 200/,
  ],
  ['ends at once', { ended: Promise.resolve(78) }, 503, /ended with exit code 78/],
];
for (const [name, over, code, message] of unhealthy) {
  test(`a platform that ${name} is no evidence, and is stopped`, async () => {
    const { url } = await serve(status(code));
    const { runner, done } = runnerOf({ url, ...over });
    const error = await failure(startPlatform(runner, '/layout', image, AS_USUAL));
    assert.equal(error.code, 'START_FAILED');
    assert.equal(error.exitCode, 4);
    assert.match(error.message, message);
    assert.deepEqual(error.details, ['printed']);
    assert.equal(done.at(-1), 'stop');
  });
}

test('no HEALTHCHECK is run where the policy asks for none', async () => {
  const { url } = await serve(status(200));
  const { runner } = runnerOf({ url, healthcheck: async () => 1 });
  await startPlatform(runner, '/layout', image, { start: START, healthcheck: false });
});

test('a platform is stopped when it is interrupted', async () => {
  const control = new AbortController();
  const { url } = await serve(() => control.abort());
  const { runner, done } = runnerOf({ url });
  const options = { ...AS_USUAL, signal: control.signal };
  assert.equal((await failure(startPlatform(runner, '/layout', image, options))).code, 'INTERRUPTED');
  assert.equal(done.at(-1), 'stop');
});
