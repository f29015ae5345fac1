/**
 * Takes the pictures of the console in docs/images: npm run screenshots
 *
 * They show a real run over fake providers. Needs Debian's chromium, pngquant and fonts-inter.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Page } from 'playwright-core';
import { ADMIN_KEY } from '../data.ts';
import { event, events } from '../providers/fake-server.ts';
import { WholeService } from '../whole-service.ts';
import { Chromium, type Scheme } from './browser.ts';
import { DAYS, liveThroughMonth } from './usage-story.ts';

const IMAGES = resolve(import.meta.dirname, '../../../docs/images');
const CLOCK = join(import.meta.dirname, 'shifted-clock.cjs');
const COLOURS = '64';

const QUESTION = 'Why would I put a gateway in front of three model providers?';
const ANSWER = `One address and one key for your programs, whichever model answers:

• a provider that is down is left alone, and another model stands in
• each key has its own limits and budget, and can be revoked
• you see who asked what for how much, without keeping a prompt`;

if (!execFileSync('fc-match', ['Inter'], { encoding: 'utf8' }).includes('Inter')) {
  throw new Error('The pictures are made with the font Inter: apt-get install fonts-inter');
}
mkdirSync(IMAGES, { recursive: true });
const [whole, chromium] = await Promise.all([
  WholeService.start({
    NODE_OPTIONS: `--require=${CLOCK}`,
    THOTH_CLOCK_DAYS: String(DAYS - 1),
    UPSTREAM_RETRIES: '0',
    BREAKER_FAILURES: '3',
    BREAKER_SECONDS: '3600',
  }),
  Chromium.start(),
]);
try {
  await liveThroughMonth(whole);
  for (const scheme of ['light', 'dark'] as const) {
    await take(scheme, 'overview', 820, async (page) => {
      await page.locator('#plot svg').waitFor();
      const { x, y, width } = (await page.locator('.canvas').boundingBox()) ?? { x: 0, y: 0, width: 0 };
      await page.mouse.move(x + width * 0.62, y + 60);
      await page.locator('.tip p').waitFor();
    });
  }
  await take('light', 'keys', 520, (page) => page.locator('#key-rows tr').first().waitFor());
  await take('dark', 'chat', 520, async (page) => {
    await page.locator('#models option').first().waitFor({ state: 'attached' }); // asked of the same fake
    whole.fakes.anthropic.next(events(spoken(ANSWER)));
    await page.getByLabel('Model', { exact: true }).fill('anthropic/claude-sonnet-4-5');
    await page.getByLabel('Message', { exact: true }).fill(QUESTION);
    await page.keyboard.press('Enter');
    await page.getByText(/tokens in/).waitFor();
  });
} finally {
  await chromium.stop();
  await whole.stop();
}

/** Signs in, goes to a view, and takes its picture when it is `ready`. */
async function take(
  scheme: Scheme,
  view: string,
  height: number,
  ready: (page: Page) => Promise<void>,
): Promise<void> {
  const visit = await chromium.open(`${whole.url}/#${view}`, scheme, { height, scale: 2 });
  await visit.page.getByLabel('Client key').fill(ADMIN_KEY);
  await visit.page.getByRole('button', { name: 'Sign in' }).click();
  await visit.page.locator(`#${view} h1`).waitFor();
  await ready(visit.page);
  const file = join(IMAGES, `console-${view}-${scheme}.png`);
  await visit.page.screenshot({ path: file });
  execFileSync('pngquant', ['--force', '--strip', '--speed=1', '--output', file, COLOURS, file]);
  await visit.close();
}

/** Anthropic's stream of a text, word by word. */
function spoken(text: string): string[] {
  const message = {
    id: 'msg_01',
    type: 'message',
    role: 'assistant',
    model: 'claude-sonnet-4-5',
    content: [],
  };
  const list = [
    { type: 'message_start', message: { ...message, usage: { input_tokens: 27, output_tokens: 1 } } },
    { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
    ...text.split(/(?<= )/).map((word) => ({
      type: 'content_block_delta',
      index: 0,
      delta: { type: 'text_delta', text: word },
    })),
    { type: 'content_block_stop', index: 0 },
    { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 68 } },
    { type: 'message_stop' },
  ];
  return list.map((data) => event(data, data.type));
}
