import { join } from 'node:path';
import { execa } from 'execa';

/** Starts the stand-in provider. @returns its address, and what ends it */
export async function startProvider(): Promise<{ address: string; stop: () => Promise<void> }> {
  const child = execa(process.execPath, ['--import', 'tsx', join(import.meta.dirname, 'provider.ts')], {
    reject: false,
  });
  const port = await new Promise<string>((resolve) =>
    child.stdout.once('data', (chunk) => resolve(String(chunk).trim())),
  );
  const stop = async () => {
    child.kill();
    await child;
  };
  return { address: `http://127.0.0.1:${port}`, stop };
}
