// Bundles the service into one file: node src/server/bundle.mjs [OUT_DIR]
//
// Plain Node and esbuild, since the image's build stage runs it with the runtime dependencies alone.
// The same input gives the same bytes: no time, no path of the machine.
import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { buildConsole } from './console/build.mjs';

const PROJECT = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
/** Where the runtime image has Node, as the distroless images do. */
const SHEBANG = '#!/nodejs/bin/node';
const LICENCE_FILE = /^(licen[cs]e|copying|notice)(\.|-|$)/i;

/** Leaves out zod's messages in 40 other languages: 250 KiB, 10 ms of start and 3 MB of memory. */
const onlyEnglish = {
  name: 'only-english',
  setup({ onLoad }) {
    onLoad({ filter: /zod.v4.locales.[a-z-]+\.js$/i }, ({ path }) =>
      /\W(en|index)\.js$/.test(path)
        ? undefined
        : { contents: `export default () => { throw new Error('left out by bundle.mjs') }` },
    );
  },
};

/** Leaves out what undici has besides the Agent: 240 KiB of fetch, WebSocket, caches and mocks. */
const onlyAgent = {
  name: 'only-agent',
  setup({ onLoad }) {
    onLoad({ filter: /undici.index\.js$/ }, () => ({
      contents: `
        const Dispatcher = require('./lib/dispatcher/dispatcher');
        Object.assign(Dispatcher.prototype, { request: require('./lib/api/api-request') });
        module.exports = { Agent: require('./lib/dispatcher/agent') };`,
    }));
  },
};

const page = await buildConsole();

/** The console is built now, and not when it is asked for, as it is from source. */
const builtConsole = {
  name: 'built-console',
  setup({ onLoad }) {
    onLoad({ filter: /[\\/]console[\\/]files\.ts$/ }, () => ({
      contents: `export const consoleFiles = async () => (${JSON.stringify(page.files)})`,
    }));
  },
};

const outDir = resolve(process.argv[2] ?? join(PROJECT, 'dist/server'));
const { metafile, code } = await bundle(process.env);
const packages = packagesOf([metafile, page.metafile]);
mkdirSync(outDir, { recursive: true });
writeFileSync(join(outDir, 'thoth'), code);
chmodSync(join(outDir, 'thoth'), 0o755);
writeFileSync(join(outDir, 'licenses.txt'), licences(packages));
writeFileSync(join(outDir, 'thoth.cdx.json'), `${JSON.stringify(bom(packages, process.env), null, 2)}\n`);
// Below a package.json with "type": "module", as this project's, Node would take the file for a module.
writeFileSync(join(outDir, 'package.json'), '{"type":"commonjs"}\n');
process.stdout.write(
  `thoth: ${(code.length / 1024).toFixed(0)} KiB, ${packages.length} runtime packages\n` +
    packages
      .map(({ name, version, bytes }) => `  ${name}@${version} ${(bytes / 1024).toFixed(1)} KiB\n`)
      .join(''),
);

/** Bundles main.ts as CommonJS, which starts faster than a module. */
async function bundle({ THOTH_VERSION = '0.0.0-dev', THOTH_REVISION = 'unknown' }) {
  const result = await build({
    absWorkingDir: PROJECT,
    entryPoints: ['src/server/main.ts'],
    outfile: 'thoth',
    write: false,
    bundle: true,
    platform: 'node',
    target: 'node22',
    format: 'cjs',
    minify: true,
    keepNames: true,
    legalComments: 'none', // licenses.txt has the whole texts
    metafile: true,
    banner: { js: SHEBANG },
    define: {
      THOTH_VERSION: JSON.stringify(THOTH_VERSION),
      THOTH_REVISION: JSON.stringify(THOTH_REVISION),
      THOTH_COMPOSE: JSON.stringify(readFileSync(join(PROJECT, 'docker-compose.yml'), 'utf8')),
    },
    plugins: [onlyEnglish, onlyAgent, builtConsole],
    // Not the project's tsconfig.json: the image is built without it, and it would change the bytes.
    tsconfigRaw: { compilerOptions: { alwaysStrict: true } },
    logLevel: 'warning',
  });
  const [file] = result.outputFiles;
  return { metafile: result.metafile, code: file.contents };
}

/** The packages of which code was bundled, by name: { name, version, license, directory, bytes }. */
function packagesOf(metafiles) {
  const found = new Map();
  const outputs = metafiles.flatMap((metafile) => Object.values(metafile.outputs));
  for (const [input, { bytesInOutput }] of outputs.flatMap(({ inputs }) => Object.entries(inputs))) {
    if (!input.includes('node_modules/') || bytesInOutput === 0) continue;
    const directory = packageDirectory(resolve(PROJECT, input));
    const entry = found.get(directory) ?? { directory, bytes: 0, ...manifest(directory) };
    entry.bytes += bytesInOutput;
    found.set(directory, entry);
  }
  const id = ({ name, version }) => `${name}@${version}`;
  return [...found.values()].sort((a, b) => (id(a) < id(b) ? -1 : 1));
}

/** The package's own directory: a package may hold further package.json files, without a name. */
function packageDirectory(file) {
  const parts = file.replaceAll('\\', '/').split('/');
  const at = parts.lastIndexOf('node_modules');
  return parts.slice(0, at + (parts[at + 1].startsWith('@') ? 3 : 2)).join('/');
}

function manifest(directory) {
  const { name, version, license } = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8'));
  if (typeof license !== 'string')
    throw new Error(`${name}@${version} names no licence: it can not be shipped.`);
  return { name, version, license };
}

/** The notices that the licences ask to be passed on with the code. */
function licences(list) {
  const head = 'Thoth contains code of the packages below, under their licences.\n';
  const sections = list.map(({ name, version, license, directory }) => {
    const texts = readdirSync(directory)
      .filter((file) => LICENCE_FILE.test(file))
      .sort()
      .map((file) => readFileSync(join(directory, file), 'utf8').replaceAll('\r\n', '\n').trim());
    const text = texts.length > 0 ? texts.join('\n\n') : 'The package holds no licence text.';
    return `\n${'-'.repeat(80)}\n${name}@${version}\nLicence: ${license}\n\n${text}\n`;
  });
  return head + sections.join('');
}

/**
 * What is in the bundle, as CycloneDX (ECMA-424, 1.6): a scanner sees no package in one file of code. Trivy reads
 * it by the end of its name. It has no serial number and no time, which the format leaves optional.
 */
function bom(list, { THOTH_VERSION = '0.0.0-dev' }) {
  const purl = ({ name, version }) => `pkg:npm/${name.replace('@', '%40')}@${version}`;
  return {
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    version: 1,
    metadata: {
      component: { type: 'application', 'bom-ref': 'thoth', name: 'thoth', version: THOTH_VERSION },
    },
    components: list.map((entry) => ({
      type: 'library',
      'bom-ref': purl(entry),
      ...scoped(entry.name),
      version: entry.version,
      licenses: [
        /^[\w.+-]+$/.test(entry.license) ? { license: { id: entry.license } } : { expression: entry.license },
      ],
      purl: purl(entry),
    })),
    dependencies: [{ ref: 'thoth', dependsOn: list.map(purl) }],
  };
}

/** CycloneDX keeps the scope of `@hono/node-server` apart, as its group. */
function scoped(name) {
  const [group, rest] = name.split('/');
  return rest === undefined ? { name } : { group, name: rest };
}
