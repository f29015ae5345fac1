// Builds the console's files: plain Node and esbuild, since bundle.mjs runs it where there is nothing else.
import { readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const HERE = dirname(fileURLToPath(import.meta.url));
const PROJECT = resolve(HERE, '../../..');

/** Browsers of the last three years: they have <dialog>, :user-invalid and color-mix(). */
const BROWSERS = ['chrome119', 'firefox119', 'safari17'];

/**
 * @returns the files by name, and esbuild's account of what went into the script
 * @type {import('./build.d.mts').buildConsole}
 */
export async function buildConsole() {
  const result = await build({
    absWorkingDir: PROJECT,
    entryPoints: { console: 'src/server/console/page/main.ts', style: 'src/server/console/page/style.css' },
    outdir: 'console',
    write: false,
    bundle: true,
    platform: 'browser',
    target: BROWSERS,
    format: 'esm',
    minify: true,
    legalComments: 'none', // licenses.txt has the whole texts
    metafile: true,
    tsconfigRaw: { compilerOptions: { alwaysStrict: true } },
    logLevel: 'warning',
  });
  const files = Object.fromEntries(
    result.outputFiles.map(({ path, text }) => [path.split(/[\\/]/).pop(), text]),
  );
  for (const name of ['index.html', 'icon.svg']) files[name] = readFileSync(join(HERE, 'page', name), 'utf8');
  return { files, metafile: result.metafile };
}
