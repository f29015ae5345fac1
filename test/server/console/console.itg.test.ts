import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { Page } from 'playwright-core';
import { ADMIN_KEY } from '../data.ts';
import { client } from '../http/client.ts';
import { chatEvents } from '../providers/fake-openai.ts';
import { eventsThenBreak, eventsThenSilence, json } from '../providers/fake-server.ts';
import { WholeService } from '../whole-service.ts';
import { Chromium, type Scheme, type Visit } from './browser.ts';

const MODEL = 'openai/gpt-4o-mini';
const TOKEN = /^thoth_[0-9a-f]{12}_[0-9a-f]{64}$/;
const VIEWS = ['overview', 'keys', 'chat'] as const;

let whole: WholeService;
let chromium: Chromium;
before(async () => {
  [whole, chromium] = await Promise.all([WholeService.start({ UPSTREAM_RETRIES: '0' }), Chromium.start()]);
});
after(async () => {
  await chromium?.stop();
  await whole?.stop();
});
beforeEach(() => whole.fakes.reset());

const api = () => client((path, init) => fetch(whole.url + path, init));

/** A page that is closed at the end of the test, which fails where the page did what it must not. */
async function open(
  context: TestContext,
  path = '/',
  scheme: Scheme = 'light',
  width?: number,
): Promise<Visit> {
  const visit = await chromium.open(whole.url + path, scheme, width === undefined ? {} : { width });
  context.after(() => visit.close());
  return visit;
}

async function signIn(page: Page, key = ADMIN_KEY): Promise<void> {
  await page.getByLabel('Client key').fill(key);
  await page.getByRole('button', { name: 'Sign in' }).click();
}

/** A page that is signed in, at one of its views. */
async function inside(context: TestContext, view: (typeof VIEWS)[number], scheme?: Scheme): Promise<Page> {
  const { page } = await open(context, `/#${view}`, scheme);
  await signIn(page);
  await page.locator(`#${view} h1`).waitFor();
  return page;
}

const alert = (page: Page) => page.getByRole('alert').filter({ visible: true });
/** The browser tells of a dialog that was closed a moment later. */
async function until(isSo: () => Promise<boolean>, what: string): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    if (await isSo()) return;
    await delay(25);
  }
  assert.fail(what);
}

const focused = (page: Page) => page.locator(':focus');

describe('signing in', () => {
  test('a key is kept in the tab alone, and gone after signing out', async (context) => {
    const { page } = await open(context);
    await signIn(page);
    await page.getByRole('heading', { name: 'Overview' }).waitFor();
    await page.reload();
    await page.getByRole('heading', { name: 'Overview' }).waitFor();
    assert.equal(await page.evaluate('JSON.stringify([localStorage.length, document.cookie])'), '[0,""]');
    assert.equal((await page.content()).includes(ADMIN_KEY), false);
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
    assert.equal(await page.evaluate("sessionStorage.getItem('thoth.key')"), null);
    await page.reload();
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
  });

  const refused: readonly [string, string, RegExp][] = [
    ['a key that nobody made', `thoth_0f1e2d3c4b5a_${'0'.repeat(64)}`, /not known/],
    ['nothing', '  ', /Paste a key/],
    ['a sentence', 'the key', /no key/],
    ['what no header can hold', 'kéy', /no key/],
  ];
  for (const [name, key, sentence] of refused) {
    test(`${name} is refused in words`, async (context) => {
      const { page } = await open(context);
      await signIn(page, key);
      assert.match(await alert(page).innerText(), sentence);
      assert.equal(await page.getByLabel('Client key').getAttribute('aria-invalid'), '');
      await page.getByRole('heading', { name: 'Sign in' }).waitFor();
    });
  }

  test('a key that is revoked meanwhile leads back to it', async (context) => {
    const made = await api().post('/v1/keys', { name: 'short-lived', scopes: ['admin'] });
    const { page } = await open(context);
    await signIn(page, String(made.body.key));
    await page.locator('#usage').waitFor();
    await api().delete(`/v1/keys/${made.body.id}`);
    await page.getByRole('link', { name: 'Keys' }).click();
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
    assert.match(await alert(page).innerText(), /revoked/);
  });

  test('a key that may only chat is told so where it may not', async (context) => {
    const made = await api().post('/v1/keys', { name: 'chat only', scopes: ['chat'] });
    const { page } = await open(context, '/#keys');
    await signIn(page, String(made.body.key));
    await page.getByText(/scope "admin"/).waitFor();
    await page.getByRole('link', { name: 'Overview' }).click();
    await page.getByText(/Providers: .*scope "usage"/).waitFor();
    await page.getByText(/Usage: .*scope "usage"/).waitFor();
  });
});

describe('overview', () => {
  test('providers are shown as they are, and an outage in words', async (context) => {
    whole.fakes.anthropic.next(json({}, 500));
    const messages = [{ role: 'user', content: 'Hi' }];
    await api().post('/v1/chat/completions', { model: 'anthropic/claude-sonnet-4-5', messages });
    await api().post('/v1/chat/completions', { model: MODEL, messages });
    const page = await inside(context, 'overview');
    const cards = page.locator('#providers li');
    await cards.nth(2).waitFor();
    assert.match(await cards.nth(0).innerText(), /OpenAI\s+Ready\s+Answered just now/);
    assert.match(await cards.nth(1).innerText(), /Anthropic\s+Failing[\s\S]*answered with 500/);
  });

  test('the plot shows what was asked, by model and key, in numbers too', async (context) => {
    const before = await api().get('/v1/usage');
    const asked = Number((before.body.total as { requests: number }).requests) + 3;
    const messages = [{ role: 'user', content: 'Hi' }];
    for (let index = 0; index < 3; index++)
      await api().post('/v1/chat/completions', { model: MODEL, messages });
    const page = await inside(context, 'overview');
    await page.locator('.legend').getByText(MODEL).waitFor();
    const figures = await page.locator('#totals').innerText();
    assert.match(figures, new RegExp(`Requests\\s+${asked}\\b`));
    assert.ok((await page.locator('#plot svg rect.series-0').count()) > 0);

    await page.getByText('The numbers as a table').click();
    const newest = page.locator('#plot-table tbody tr').first();
    assert.match(await newest.innerText(), new RegExp(`\\t${asked}$`));

    await page.getByText('By key').click();
    await page.locator('.legend').getByText('THOTH_ADMIN_KEY').waitFor();
    await page.getByText('24 hours').click();
    await page.getByText('Cost', { exact: true }).first().click();
    await page.locator('#plot-table th', { hasText: 'UTC' }).nth(23).waitFor();
  });

  test('a service that is gone is said to be', async (context) => {
    const page = await inside(context, 'overview');
    await page.route('**/v1/**', (route) => route.abort());
    await page.getByRole('button', { name: 'Refresh' }).click();
    await page.getByText('Usage: The gateway can not be reached.').waitFor();
    assert.equal(await page.locator('#usage').isVisible(), false);
  });

  test('so is an answer of something else', async (context) => {
    const page = await inside(context, 'overview');
    await page.route('**/v1/usage*', (route) => route.fulfill({ status: 502, body: '<html>nginx</html>' }));
    await page.route('**/v1/providers', (route) => route.fulfill({ json: { data: 'nonsense' } }));
    await page.getByRole('button', { name: 'Refresh' }).click();
    await page.getByText('Usage: The answer was HTTP 502, and not from Thoth').waitFor();
    await page.getByText('Providers: The answer has another form').waitFor();
  });
});

describe('keys', () => {
  test('one is created, shown once, and works; then it is revoked', async (context) => {
    const page = await inside(context, 'keys');
    await page.getByRole('button', { name: 'Create a key' }).click();
    await page.getByLabel('Name', { exact: true }).fill('<b>laptop</b>');
    await page.getByLabel('read usage').check();
    await page.getByLabel('Requests a minute').fill('60');
    await page.getByLabel('Budget a month').fill('12.50');
    await page.getByLabel('Last day').fill('2099-12-31');
    await page.getByRole('button', { name: 'Create', exact: true }).click();
    const shown = page.getByLabel('Copy it now');
    await shown.waitFor();
    const token = await shown.inputValue();
    assert.match(token, TOKEN);
    assert.equal(
      (await client((path, init) => fetch(whole.url + path, init), token).get('/v1/models')).status,
      200,
    );

    await page.getByRole('button', { name: 'I have kept it' }).click();
    const row = page.getByRole('row').filter({ hasText: '<b>laptop</b>' });
    await row.waitFor();
    assert.match(
      await row.innerText(),
      /active[\s\S]*usage[\s\S]*60 requests\/min\s+\$12\.50 a month[\s\S]*Jan 1, 2100/,
    );
    await until(async () => (await shown.inputValue()) === '', 'nothing keeps it');

    await row.getByRole('button', { name: 'Revoke' }).click();
    await page.getByText(/refused from now on/).waitFor();
    await page.getByRole('button', { name: 'Keep it' }).click();
    assert.match(await row.innerText(), /active/);
    await row.getByRole('button', { name: 'Revoke' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click();
    await row.getByText('revoked').waitFor();
    assert.equal(
      (await client((path, init) => fetch(whole.url + path, init), token).get('/v1/models')).status,
      401,
    );
  });

  test('the key is copied', async (context) => {
    const page = await inside(context, 'keys');
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    await page.getByRole('button', { name: 'Create a key' }).click();
    await page.getByLabel('Name', { exact: true }).fill('copied');
    await page.getByRole('button', { name: 'Create', exact: true }).click();
    await page.getByRole('button', { name: 'Copy' }).click();
    await page.getByText('Copied.').waitFor();
    assert.match(String(await page.evaluate('navigator.clipboard.readText()')), TOKEN);
  });

  const wrong: readonly [string, (page: Page) => Promise<void>, RegExp][] = [
    ['without a name', async () => undefined, /Give it a name/],
    [
      'that may do nothing',
      async (page) => {
        await page.getByLabel('Name', { exact: true }).fill('idle');
        for (const name of ['chat with models', 'make embeddings', 'list models'])
          await page.getByLabel(name).uncheck();
      },
      /at least one/,
    ],
    [
      'with a limit that is no number',
      async (page) => {
        await page.getByLabel('Name', { exact: true }).fill('odd');
        await page.getByLabel('Tokens a minute').fill('many');
      },
      /Tokens a minute: write a number/,
    ],
    [
      'whose last day is over, as the service says',
      async (page) => {
        await page.getByLabel('Name', { exact: true }).fill('old');
        await page.getByLabel('Last day').fill('2020-01-01');
      },
      /future/,
    ],
  ];
  for (const [name, fill, sentence] of wrong) {
    test(`a key ${name} is refused in words`, async (context) => {
      const page = await inside(context, 'keys');
      await page.getByRole('button', { name: 'Create a key' }).click();
      await fill(page);
      await page.getByRole('button', { name: 'Create', exact: true }).click();
      assert.match(await alert(page).innerText(), sentence);
      await page.getByRole('button', { name: 'Cancel' }).click();
    });
  }
});

describe('chat', () => {
  test('an answer comes piece by piece, with what it took; Enter sends', async (context) => {
    const page = await inside(context, 'chat');
    await page.getByLabel('Model', { exact: true }).fill(MODEL);
    await page.getByLabel('Message', { exact: true }).fill('Hi, <i>who</i> are you?');
    await page.keyboard.press('Enter');
    const log = page.getByRole('log');
    await log.getByText(/11 tokens in, 4 out/).waitFor();
    assert.match(await log.innerText(), /Hi, <i>who<\/i> are you\?[\s\S]*Hello world/);
    await page.getByLabel('Message', { exact: true }).fill('And then?');
    await page.getByRole('button', { name: 'Send' }).click();
    await log
      .getByText(/11 tokens in/)
      .nth(1)
      .waitFor();
    const { messages } = whole.fakes.openai.last.body;
    assert.deepEqual(messages, [
      { role: 'user', content: 'Hi, <i>who</i> are you?' },
      { role: 'assistant', content: 'Hello world' },
      { role: 'user', content: 'And then?' },
    ]);
    await page.getByRole('button', { name: 'New chat' }).click();
    assert.doesNotMatch(await log.innerText(), /Hello/);
  });

  test('stopping ends the request to the provider, and keeps what came', async (context) => {
    whole.fakes.openai.next(eventsThenSilence(chatEvents({}).slice(0, 3)));
    const page = await inside(context, 'chat');
    await page.getByLabel('Model', { exact: true }).fill(MODEL);
    await page.getByLabel('Message', { exact: true }).fill('Tell me a long story.');
    await page.getByRole('button', { name: 'Send' }).click();
    const log = page.getByRole('log');
    await log.getByText('Hello').waitFor();
    const { left } = whole.fakes.openai.last;
    await page.getByRole('button', { name: 'Stop' }).click();
    assert.equal(await left, true, 'the provider sees the client leave');
    await log.getByText(/stopped/).waitFor();
    assert.match(await log.innerText(), /Hello/);
    assert.equal(await page.getByRole('button', { name: 'Send' }).isVisible(), true);
  });

  test('a stream that breaks is said in words, and what came is kept', async (context) => {
    whole.fakes.openai.next(eventsThenBreak(chatEvents({}).slice(0, 3)));
    const page = await inside(context, 'chat');
    await page.getByLabel('Model', { exact: true }).fill(MODEL);
    await page.getByLabel('Message', { exact: true }).fill('Hi');
    await page.keyboard.press('Enter');
    assert.match(await alert(page).innerText(), /broke off/);
    assert.match(await page.getByRole('log').innerText(), /Hello/);
  });

  const failing: readonly [string, string, RegExp][] = [
    ['a model that is not there', 'openai', /./],
    ['an outage', MODEL, /failed \(500\)/],
  ];
  for (const [name, model, sentence] of failing) {
    test(`${name} is said in words`, async (context) => {
      if (model === MODEL) whole.fakes.openai.next(json({ error: { message: 'broken' } }, 500));
      const page = await inside(context, 'chat');
      await page.getByLabel('Model', { exact: true }).fill(model);
      await page.getByLabel('Message', { exact: true }).fill('Hi');
      await page.keyboard.press('Enter');
      assert.match(await alert(page).innerText(), sentence);
      assert.equal(await page.getByLabel('Message', { exact: true }).inputValue(), 'Hi', 'to be sent again');
    });
  }
});

describe('for everybody', () => {
  for (const scheme of ['light', 'dark'] as const) {
    test(`axe-core finds nothing against any view, ${scheme}`, async (context) => {
      await api().post('/v1/chat/completions', { model: MODEL, messages: [{ role: 'user', content: 'Hi' }] });
      const visit = await open(context, '/', scheme);
      const { page } = visit;
      await page.getByRole('heading', { name: 'Sign in' }).waitFor();
      assert.deepEqual(await visit.accessibilityFaults(), [], 'sign in');
      await signIn(page, 'wrong');
      await alert(page).waitFor();
      assert.deepEqual(await visit.accessibilityFaults(), [], 'sign in, refused');
      await signIn(page);
      await page.locator('.legend li').first().waitFor();
      await page.getByText('The numbers as a table').click();
      assert.deepEqual(await visit.accessibilityFaults(), [], 'overview');
      await page.getByRole('link', { name: 'Keys' }).click();
      await page.locator('#key-rows tr').first().waitFor();
      assert.deepEqual(await visit.accessibilityFaults(), [], 'keys');
      await page.getByRole('button', { name: 'Create a key' }).click();
      assert.deepEqual(await visit.accessibilityFaults(), [], 'create a key');
      await page.keyboard.press('Escape');
      await page.getByRole('link', { name: 'Chat' }).click();
      await page.getByLabel('Model', { exact: true }).fill(MODEL);
      await page.getByLabel('Message', { exact: true }).fill('Hi');
      await page.keyboard.press('Enter');
      await page.getByText(/tokens in/).waitFor();
      assert.deepEqual(await visit.accessibilityFaults(), [], 'chat');
    });
  }

  test('light and dark are different, as the system has it', async (context) => {
    const grounds = [];
    for (const scheme of ['light', 'dark'] as const) {
      const { page } = await open(context, '/', scheme);
      grounds.push(await page.evaluate('getComputedStyle(document.body).backgroundColor'));
    }
    assert.deepEqual(grounds, ['rgb(246, 244, 239)', 'rgb(19, 18, 17)']);
  });

  test('with the keyboard alone: sign in, look at the plot, create a key and revoke it, chat', async (context) => {
    const { page } = await open(context);
    const press = async (...keys: string[]) => {
      for (const key of keys) await page.keyboard.press(key);
    };
    const tabTo = async (name: string | RegExp, tab = 'Tab') => {
      for (let pressed = 0; pressed < 40; pressed++) {
        await press(tab);
        const label = String(
          await page.evaluate(
            '(({ labels, ariaLabel, textContent }) => ariaLabel ?? labels?.[0]?.textContent ?? textContent)(document.activeElement)',
          ),
        );
        if (typeof name === 'string' ? label.trim() === name : name.test(label)) return;
      }
      assert.fail(`Tab does not lead to ${name}`);
    };
    await page.locator('#key:focus').waitFor();
    await page.keyboard.type(ADMIN_KEY);
    await press('Enter');
    await page.locator('#usage').waitFor();
    assert.equal(await focused(page).innerText(), 'Overview', 'the heading is read out');

    await tabTo(/^Requests from/);
    await press('End');
    assert.match(await page.locator('.tip').innerText(), /\w+ \d+/);
    await press('Escape');
    assert.equal(await page.locator('.tip').innerText(), '');

    await press('Shift+Tab', 'ArrowLeft');
    assert.equal(await page.locator('[name=period][value=week]').isChecked(), true);

    await tabTo('Keys', 'Shift+Tab');
    await press('Enter');
    await page.getByRole('heading', { name: 'Keys' }).waitFor();
    await tabTo('Create a key');
    await press('Enter');
    await page.keyboard.type('by keyboard');
    await press('Enter');
    await page.getByRole('heading', { name: 'Key created' }).waitFor();
    await tabTo('I have kept it');
    await press('Enter');
    await page.getByRole('row').filter({ hasText: 'by keyboard' }).waitFor();
    await tabTo('Revoke by keyboard');
    await press('Enter');
    assert.equal(await focused(page).innerText(), 'Keep it', 'what destroys nothing comes first');
    await tabTo('Revoke');
    await press('Enter');
    await page.getByRole('row').filter({ hasText: 'by keyboard' }).getByText('revoked').waitFor();
    assert.equal(await focused(page).innerText(), 'Create a key', 'the focus is not lost');
  });

  test('on a narrow screen nothing is wider than it', async (context) => {
    const { page } = await open(context, '/', 'light', 360);
    await signIn(page);
    for (const view of VIEWS) {
      await page.locator(`nav a[href="#${view}"]`).click();
      await page.locator(`#${view} h1`).waitFor();
      const [wide, room] = (await page.evaluate(
        '[document.documentElement.scrollWidth, document.documentElement.clientWidth]',
      )) as [number, number];
      assert.ok(wide <= room, `${view}: ${wide} px`);
    }
  });
});
