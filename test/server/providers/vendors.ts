import { fault as anthropicFault, messageEvents, startAnthropic } from './fake-anthropic.ts';
import { generatedEvents, fault as googleFault, startGoogle } from './fake-google.ts';
import { chatEvents, fault as openAiFault, startOpenAi } from './fake-openai.ts';
import type { FakeServer } from './fake-server.ts';

/** How one provider is spoken to and stood for. */
export interface Vendor {
  readonly name: 'openai' | 'anthropic' | 'google';
  readonly model: string;
  /** A failure in its own words. */
  readonly fault: (status: number) => object;
  /** A streamed answer to a plain question, event by event. */
  readonly events: () => readonly string[];
}

const ANTHROPIC_TYPES: Readonly<Record<number, string>> = {
  429: 'rate_limit_error',
  529: 'overloaded_error',
};
const GOOGLE_STATUS: Readonly<Record<number, string>> = { 429: 'RESOURCE_EXHAUSTED', 503: 'UNAVAILABLE' };

export const VENDORS: readonly Vendor[] = [
  {
    name: 'openai',
    model: 'openai/gpt-4o',
    fault: (status) => openAiFault(`failed with ${status}`),
    events: () => chatEvents({ stream_options: { include_usage: true } }),
  },
  {
    name: 'anthropic',
    model: 'anthropic/claude-sonnet-4-5',
    fault: (status) => anthropicFault(ANTHROPIC_TYPES[status] ?? 'api_error', `failed with ${status}`),
    events: () => messageEvents({}),
  },
  {
    name: 'google',
    model: 'google/gemini-2.5-flash',
    fault: (status) => googleFault(status, GOOGLE_STATUS[status] ?? 'INTERNAL', `failed with ${status}`),
    events: () => generatedEvents({}),
  },
];

/** A fake of each provider, and the settings that lead there. */
export class Fakes {
  readonly openai: FakeServer;
  readonly anthropic: FakeServer;
  readonly google: FakeServer;

  private constructor(openai: FakeServer, anthropic: FakeServer, google: FakeServer) {
    this.openai = openai;
    this.anthropic = anthropic;
    this.google = google;
  }

  static async start(): Promise<Fakes> {
    return new Fakes(...(await Promise.all([startOpenAi(), startAnthropic(), startGoogle()])));
  }

  get settings() {
    return {
      OPENAI_BASE_URL: `${this.openai.url}/v1`,
      ANTHROPIC_BASE_URL: this.anthropic.url,
      GOOGLE_BASE_URL: this.google.url,
    };
  }

  reset(): void {
    for (const fake of [this.openai, this.anthropic, this.google]) fake.reset();
  }

  async stop(): Promise<void> {
    await Promise.all([this.openai.stop(), this.anthropic.stop(), this.google.stop()]);
  }
}
