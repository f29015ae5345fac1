import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';

const CHROMIUM = '/usr/bin/chromium';
/** Without its sandbox, since tests run as root; and without whatever it asks the network for by itself. */
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
const SLOWEST_MS = 10_000;

/** Handed to the page by the debugger, so that the page's policy stays as it is. */
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

export type Scheme = 'light' | 'dark';

/** In pixels of the page, and how many of the screen's make one of them. */
interface Screen {
  readonly width?: number;
  readonly height?: number;
  readonly scale?: number;
}

/** Debian's Chromium, with a profile of its own that is gone afterwards. */
export class Chromium {
  readonly #browser: Browser;
  readonly #home: string;

  private constructor(browser: Browser, home: string) {
    this.#browser = browser;
    this.#home = home;
  }

  static async start(): Promise<Chromium> {
    const home = mkdtempSync(join(tmpdir(), 'thoth-chromium-'));
    const browser = await chromium.launch({
      executablePath: CHROMIUM,
      args: FLAGS,
      // Crash reports and caches go to the home directory.
      env: { ...process.env, HOME: home, XDG_CONFIG_HOME: home, XDG_CACHE_HOME: home },
    });
    return new Chromium(browser, home);
  }

  /** Opens a page in a window that shares nothing with others. */
  async open(
    url: string,
    scheme: Scheme = 'light',
    { width = 1180, height = 820, scale = 1 }: Screen = {},
  ): Promise<Visit> {
    const context = await this.#browser.newContext({
      colorScheme: scheme,
      reducedMotion: 'reduce',
      locale: 'en-US',
      viewport: { width, height },
      deviceScaleFactor: scale,
    });
    context.setDefaultTimeout(SLOWEST_MS);
    const page = await context.newPage();
    const visit = new Visit(context, page, url);
    await visit.watch();
    await page.goto(url);
    return visit;
  }

  async stop(): Promise<void> {
    await this.#browser.close();
    rmSync(this.#home, { recursive: true, force: true });
  }
}

/** A page that is open, and all that goes wrong on it. */
export class Visit {
  readonly page: Page;
  readonly #context: BrowserContext;
  readonly #origin: string;
  readonly #faults: string[] = [];

  constructor(context: BrowserContext, page: Page, url: string) {
    this.#context = context;
    this.page = page;
    this.#origin = new URL(url).origin;
  }

  async watch(): Promise<void> {
    this.page.on('pageerror', (error) => this.#faults.push(`error: ${error.stack ?? error.message}`));
    this.#context.on('request', (request) => {
      if (new URL(request.url()).origin !== this.#origin)
        this.#faults.push(`left the origin: ${request.url()}`);
    });
    await this.#context.exposeBinding('tellViolation', (_source, text: string) => {
      this.#faults.push(`security policy: ${text}`);
    });
    await this.#context.addInitScript(`
      document.addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI, sample }) =>
        tellViolation([violatedDirective, blockedURI, sample].join(' ')));`);
  }

  /** What axe-core finds against WCAG 2.2 A and AA and its best practices, a line each. */
  async accessibilityFaults(): Promise<string[]> {
    await this.page.evaluate(AXE);
    return await this.page.evaluate(
      `axe.run().then(({ violations }) => violations.flatMap(({ id, nodes }) =>
        nodes.map(({ target, failureSummary }) => [id, target, failureSummary].join(' '))))`,
    );
  }

  /** Closes it. @throws AssertionError where it broke its policy, asked elsewhere, or threw */
  async close(): Promise<void> {
    await this.#context.close();
    assert.deepEqual(this.#faults, []);
  }
}
