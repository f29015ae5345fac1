import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Piece, readChat } from '../../../src/server/console/page/chat-stream.ts';
import { Problem } from '../../../src/server/console/page/problem.ts';
import { chatEvents, PIECES } from '../providers/fake-openai.ts';

const DONE = 'data: [DONE]\n\n';

/** A body that comes in pieces of some bytes. */
function bodyOf(text: string, size: number): ReadableStream<Uint8Array> {
  const bytes = Buffer.from(text);
  let at = 0;
  return new ReadableStream({
    pull(controller) {
      if (at >= bytes.length) return controller.close();
      controller.enqueue(new Uint8Array(bytes.subarray(at, at + size)));
      at += size;
    },
  });
}

async function read(text: string, size = 7): Promise<Piece[]> {
  const pieces: Piece[] = [];
  for await (const piece of readChat(bodyOf(text, size))) pieces.push(piece);
  return pieces;
}

function delta(content: string): string {
  return `data: ${JSON.stringify({ choices: [{ delta: { content } }] })}\n\n`;
}

describe('a streamed answer', () => {
  for (const size of [1, 5, 10_000]) {
    test(`its text, why it ended and its tokens, ${size} bytes at a time`, async () => {
      const pieces = await read(chatEvents({ stream_options: { include_usage: true } }).join(''), size);
      assert.deepEqual(pieces, [
        ...PIECES.map((text) => ({ text })),
        { finish: 'stop' },
        { tokens: { input: 11, output: 4 } },
      ]);
    });
  }

  test('characters of many bytes, comments and empty deltas', async () => {
    assert.deepEqual(await read(`: ping\n\n${delta('')}${delta('𓅞 ü')}${DONE}`, 1), [{ text: '𓅞 ü' }]);
  });

  test('the connection breaks', async () => {
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        controller.error(new TypeError('network error'));
      },
    });
    await assert.rejects(readChat(body).next(), Problem);
  });

  const broken: readonly [string, string, RegExp][] = [
    ['it ends early', delta('Hi'), /broke off/],
    ['nothing at all', '', /broke off/],
    [
      'an error in the middle',
      `${delta('Hi')}data: {"error":{"message":"The provider broke off."}}\n\n`,
      /^The provider broke off\.$/,
    ],
    ['nonsense', `data: {"choices":7}\n\n${DONE}`, /not understood/],
    ['no JSON', `data: <html>\n\n${DONE}`, /not understood/],
  ];
  for (const [name, text, message] of broken) {
    test(name, async () => {
      await assert.rejects(read(text), (error) => {
        assert.ok(error instanceof Problem);
        assert.match(error.message, message);
        return true;
      });
    });
  }
});
