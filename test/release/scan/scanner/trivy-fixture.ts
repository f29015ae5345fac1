import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type Layout, readLayout } from '../../../../src/release/image/layout.ts';
import { requireTool } from '../../../../src/release/machine/tools.ts';
import { type ScanOptions, scanLayout } from '../../../../src/release/scan/scan.ts';
import { prepareScanners } from '../../../../src/release/scan/scanner/choose.ts';
import type { Trivy } from '../../../../src/release/scan/scanner/trivy.ts';
import { createTrivyScanner } from '../../../../src/release/scan/scanner/trivy-scanner.ts';
import { type LayoutOptions, writeLayout } from '../../image/layout-fixture.ts';
import { debianLayer, type Known, serveDatabase, trivyDatabase } from './trivy-database.ts';

const SEVERITY = ['HIGH', 'CRITICAL'] as const;
const LICENSES = ['forbidden', 'restricted'] as const;
/** Nothing listens on port 1, and a registry that refuses is known at once. */
const UNREACHABLE = '127.0.0.1:1/trivy-db:2';

let folder = '';
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'thoth-trivy-'));
});
after(() => rm(folder, { recursive: true, force: true }));

/** A new folder, gone when the tests of the file are over. */
export function newFolder(): Promise<string> {
  return mkdtemp(join(folder, 'new-'));
}

/** The real scanner with an empty cache, whose database can't be had. Fails where `make tools` was not run. */
export async function freshTrivy(over: Partial<Trivy> = {}): Promise<Trivy> {
  const program = await requireTool('trivy', fileURLToPath(new URL('../../../../.thoth', import.meta.url)));
  return { program, cache: await newFolder(), dbRepository: UNREACHABLE, ...over };
}

/** Does `work` with a scanner for which a registry serves a database. */
export async function withDatabase<T>(
  updated: Date,
  known: readonly Known[],
  work: (trivy: Trivy) => Promise<T>,
): Promise<T> {
  const registry = await serveDatabase(trivyDatabase(updated, known));
  try {
    return await work(await freshTrivy({ dbRepository: registry.repository }));
  } finally {
    await registry.close();
  }
}

/** A layout to scan: one platform with two packages, unless said otherwise. */
export async function layoutOf(options: LayoutOptions = {}): Promise<Layout> {
  const dir = await newFolder();
  const layers = [debianLayer({ openssl: '3.0.1', zlib: '1.0' })];
  await writeLayout(dir, { platforms: ['linux/amd64'], layers, ...options });
  return readLayout(dir);
}

/** What is known of the packages in such a layout, and of another one. */
export const KNOWN: readonly Known[] = [
  { id: 'CVE-2026-1', package: 'openssl', fixedIn: '3.0.2', severity: 'CRITICAL' },
  { id: 'CVE-2026-2', package: 'zlib', fixedIn: '2.0', severity: 'LOW' },
  { id: 'CVE-2026-3', package: 'curl', fixedIn: '9.0', severity: 'CRITICAL' },
];

/** Scans into a new folder, as a release does. */
export async function scanWith(trivy: Trivy, layout: Layout, over: Partial<ScanOptions> = {}) {
  const output = await newFolder();
  const scanner = createTrivyScanner(trivy, { vulnerabilities: true });
  const scanners = await prepareScanners([scanner], new Date(), () => undefined);
  const options = { severity: SEVERITY, licenses: LICENSES, output, ...over };
  return { report: await scanLayout(scanners, layout, options), output };
}

/** The time now in whole seconds, as databases carry it. */
export function now(): Date {
  return new Date(Math.floor(Date.now() / 1_000) * 1_000);
}
