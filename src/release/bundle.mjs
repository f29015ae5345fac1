// Bundles thoth-release into one executable file: node src/release/bundle.mjs [FILE]
//
// Plain Node and esbuild, so that it runs before there is anything else. The same sources and packages give
// the same bytes: no time, no path of the machine. Without FILE it is dist/thoth-release.mjs.
import { chmodSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { build } from 'esbuild';

const PROJECT = resolve(import.meta.dirname, '../..');

// Packages in CommonJS call require(), which a module does not have.
const BANNER = `#!/usr/bin/env node
import { createRequire as createRequireOfBundle } from 'node:module';
const require = createRequireOfBundle(import.meta.url);`;

const file = resolve(process.argv[2] ?? join(PROJECT, 'dist/thoth-release.mjs'));
const bundled = await build({
  absWorkingDir: PROJECT,
  entryPoints: ['src/release/cli.ts'],
  outfile: 'thoth-release.mjs',
  write: false,
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'esm',
  charset: 'utf8',
  legalComments: 'none',
  preserveSymlinks: true, // paths in comments stay below the project
  banner: { js: BANNER },
  // What is read from its own file otherwise: the bundle is all that another project has.
  define: {
    STANDIN_ROOTFS: JSON.stringify(readFileSync(join(PROJECT, 'src/release/build/rootfs.sh'), 'utf8')),
  },
  // Not a tsconfig.json that happens to be nearby: it would change the bytes.
  tsconfigRaw: {},
  logLevel: 'warning',
}).catch(() => process.exit(1)); // esbuild has printed what is wrong, with the lines
// Written whole or not at all: a command may be starting from it.
const partial = `${file}.${process.pid}`;
mkdirSync(dirname(file), { recursive: true });
writeFileSync(partial, bundled.outputFiles[0].contents);
chmodSync(partial, 0o755);
renameSync(partial, file);
