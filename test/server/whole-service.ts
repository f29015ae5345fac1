import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Bundle, makeBundle } from './bundle.ts';
import { ADMIN_KEY } from './data.ts';
import { freePort } from './free-port.ts';
import { IMAGE_MEMORY } from './image-memory.ts';
import { Fakes } from './providers/vendors.ts';
import { Service } from './service.ts';

/** Keys of providers that must not be seen anywhere. */
export const PROVIDER_KEYS = {
  OPENAI_API_KEY: 'planted-openai-key-1',
  ANTHROPIC_API_KEY: 'planted-anthropic-key-2',
  GOOGLE_API_KEY: 'planted-google-key-3',
};

/** The service as it is shipped, in a process of its own, with a data directory, over fake providers. */
export class WholeService {
  readonly url: string;
  readonly fakes: Fakes;
  readonly service: Service;
  readonly #bundle: Bundle;
  readonly #data: string;

  private constructor(url: string, fakes: Fakes, service: Service, bundle: Bundle, data: string) {
    this.url = url;
    this.fakes = fakes;
    this.service = service;
    this.#bundle = bundle;
    this.#data = data;
  }

  static async start(environment: Readonly<Record<string, string>> = {}): Promise<WholeService> {
    const [bundle, fakes, port] = await Promise.all([makeBundle(), Fakes.start(), freePort()]);
    const data = mkdtempSync(join(tmpdir(), 'thoth-whole-'));
    const service = new Service(bundle.file, ['serve'], {
      ...IMAGE_MEMORY,
      HOST: '127.0.0.1',
      PORT: String(port),
      DATA_DIR: data,
      THOTH_ADMIN_KEY: ADMIN_KEY,
      ...PROVIDER_KEYS,
      ...fakes.settings,
      ...environment,
    });
    const whole = new WholeService(`http://127.0.0.1:${port}`, fakes, service, bundle, data);
    try {
      await service.logged('listening');
      return whole;
    } catch (error) {
      await whole.stop();
      throw error;
    }
  }

  /** Ends it, and removes what it left. */
  async stop(): Promise<void> {
    this.service.process.kill('SIGTERM');
    await this.service.ended().catch(() => this.service.kill());
    await this.fakes.stop();
    this.#bundle.remove();
    rmSync(this.#data, { recursive: true, force: true });
  }
}
