import type { Metafile } from 'esbuild';

export function buildConsole(): Promise<{
  readonly files: Readonly<Record<string, string>>;
  readonly metafile: Metafile;
}>;
