import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { IMAGE_MEMORY } from '../../test/server/image-memory.ts';

const PROJECT = join(import.meta.dirname, '../..');
const TOOLS = join(process.env.THOTH_HOME ?? join(PROJECT, '.thoth'), 'tools');
/** No key of anybody: the provider is a stand-in. */
const KEY = 'sk-bench-0123456789abcdef0123456789abcdef';

/** A gateway as a user would start it, one process, ready to call the provider. */
export interface Gateway {
  readonly name: string;
  readonly command: readonly [string, ...string[]];
  readonly env: Readonly<Record<string, string>>;
  /** What answers 200 as soon as it serves. */
  readonly health: string;
  readonly chat: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly model: string;
}

/** The gateways side by side; installs and builds what they need below `folder`. */
export async function gateways(
  folder: string,
  provider: string,
  port: () => Promise<number>,
): Promise<Gateway[]> {
  return [
    await thoth(folder, provider, await port()),
    await portkey(folder, provider, await port()),
    await litellm(folder, provider, await port()),
  ];
}

/** As in the image: the same bundle, the same settings of its memory; with client keys, limits and usage in SQLite. */
export async function thoth(folder: string, provider: string, port: number): Promise<Gateway> {
  await execa(process.execPath, [join(PROJECT, 'src/server/bundle.mjs'), join(folder, 'thoth')]);
  const data = join(folder, 'data');
  await mkdir(data);
  return {
    name: 'Thoth',
    command: [process.execPath, join(folder, 'thoth/thoth')],
    env: {
      ...IMAGE_MEMORY,
      HOST: '127.0.0.1',
      PORT: String(port),
      DATA_DIR: data,
      OPENAI_API_KEY: KEY,
      OPENAI_BASE_URL: `${provider}/v1`,
      THOTH_ADMIN_KEY: KEY,
    },
    health: `http://127.0.0.1:${port}/health`,
    chat: `http://127.0.0.1:${port}/v1/chat/completions`,
    headers: { authorization: `Bearer ${KEY}` },
    model: 'openai/gpt-4o-mini',
  };
}

/** Keeps no keys and no usage: it hands the client's own provider key on. */
async function portkey(folder: string, provider: string, port: number): Promise<Gateway> {
  const place = join(folder, 'portkey');
  await mkdir(place);
  for (const name of ['package.json', 'package-lock.json']) {
    await execa('cp', [join(PROJECT, 'tools/portkey', name), place]);
  }
  await execa('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: place });
  return {
    name: 'Portkey',
    command: [
      process.execPath,
      join(place, 'node_modules/@portkey-ai/gateway/build/start-server.js'),
      `--port=${port}`,
      '--headless',
    ],
    env: { TRUSTED_CUSTOM_HOSTS: '127.0.0.1' },
    health: `http://127.0.0.1:${port}/`,
    chat: `http://127.0.0.1:${port}/v1/chat/completions`,
    headers: {
      authorization: `Bearer ${KEY}`,
      'x-portkey-provider': 'openai',
      'x-portkey-custom-host': `${provider}/v1`,
    },
    model: 'gpt-4o-mini',
  };
}

/** Without its database: one master key, usage nowhere. */
async function litellm(folder: string, provider: string, port: number): Promise<Gateway> {
  const config = join(folder, 'litellm.json');
  const model = { model: 'openai/gpt-4o-mini', api_base: `${provider}/v1`, api_key: KEY };
  await writeFile(
    config,
    JSON.stringify({
      model_list: [{ model_name: 'gpt-4o-mini', litellm_params: model }],
      general_settings: { master_key: KEY },
    }),
  );
  return {
    name: 'LiteLLM',
    command: [
      join(TOOLS, 'python/litellm/bin/litellm'),
      '--config',
      config,
      '--host',
      '127.0.0.1',
      '--port',
      String(port),
    ],
    env: { LITELLM_LOCAL_MODEL_COST_MAP: 'True', LITELLM_LOG: 'ERROR', NO_PROXY: '127.0.0.1' },
    health: `http://127.0.0.1:${port}/health/liveliness`,
    chat: `http://127.0.0.1:${port}/v1/chat/completions`,
    headers: { authorization: `Bearer ${KEY}` },
    model: 'gpt-4o-mini',
  };
}
