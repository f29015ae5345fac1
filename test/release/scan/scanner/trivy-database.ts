import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { gzipSync } from 'node:zlib';
import { type TarEntry, tar } from '../../image/tar.ts';
import { bboltFile } from './bbolt.ts';

/** A vulnerability that a database holds; one a package. */
export interface Known {
  readonly id: string;
  readonly package: string;
  /** What the package is of: Debian 13 where nothing is said. */
  readonly of?: 'npm' | 'bitnami';
  /** Empty where there is no fix. */
  readonly fixedIn: string;
  readonly severity: string;
}

/** The buckets of the database that Trivy looks into (trivy-db, pkg/ecosystem). */
const BUCKETS = { debian: 'debian 13', npm: 'npm::test', bitnami: 'bitnami::test' } as const;

/** Trivy's database (schema 2), as its registry serves it. */
export function trivyDatabase(updated: Date, known: readonly Known[]): Buffer {
  const buckets = Object.entries(BUCKETS).map(([name, bucket]) => {
    const advisories = known
      .filter((one) => (one.of ?? 'debian') === name)
      .map((one) => [one.package, { [one.id]: JSON.stringify(advisory(one)) }]);
    return [bucket, Object.fromEntries(advisories)];
  });
  const details = known.map(({ id, severity }) => [
    id,
    JSON.stringify({ Title: `Title of ${id}`, Severity: severity }),
  ]);
  const metadata = { Version: 2, UpdatedAt: updated, NextUpdate: new Date(updated.getTime() + 86_400_000) };
  return gzipSync(
    tar({
      'trivy.db': bboltFile({
        ...Object.fromEntries(buckets),
        'data-source': Object.fromEntries(
          Object.values(BUCKETS).map((bucket) => [bucket, JSON.stringify({ ID: 'test', Name: 'test' })]),
        ),
        vulnerability: Object.fromEntries(details),
      }),
      'metadata.json': JSON.stringify(metadata),
    }),
  );
}

/** Distributions say in which version a fix is, and for the others all versions before it are vulnerable. */
function advisory({ of, fixedIn }: Known): Record<string, unknown> {
  if (of === undefined) return { FixedVersion: fixedIn };
  const before = fixedIn === '' ? '>=0.0.0' : `<${fixedIn}`;
  return { VulnerableVersions: [before], ...(fixedIn === '' ? {} : { PatchedVersions: [fixedIn] }) };
}

/** A layer by which Trivy takes an image for Debian 13 with these packages. */
export function debianLayer(packages: Readonly<Record<string, string>>): Record<string, string> {
  const status = Object.entries(packages).map(
    ([name, version]) =>
      `Package: ${name}\nStatus: install ok installed\nArchitecture: all\nVersion: ${version}\n`,
  );
  return {
    'etc/os-release': 'ID=debian\nVERSION_ID="13"\n',
    'etc/debian_version': '13.1\n',
    'var/lib/dpkg/status': status.join('\n'),
  };
}

/** A program as large as Node.js must be to be taken for it, with what every build of it says of itself. */
export function nodeProgram(version: string): TarEntry {
  const content = [Buffer.alloc(1_000_000), Buffer.from(`\0node.js/v${version}\0`), Buffer.alloc(70_000)];
  return { mode: 0o755, content: Buffer.concat(content) };
}

/**
 * Serves a database as an OCI artifact on loopback.
 *
 * @param pause waited for in the middle of the database, as on a slow link
 * @returns the name for `--db-repository`
 */
export async function serveDatabase(database: Buffer, pause: () => Promise<unknown> = async () => undefined) {
  const blob = (mediaType: string, bytes: Buffer) => ({
    mediaType,
    digest: `sha256:${createHash('sha256').update(bytes).digest('hex')}`,
    size: bytes.length,
  });
  const empty = Buffer.from('{}');
  const layer = blob('application/vnd.aquasec.trivy.db.layer.v1.tar+gzip', database);
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      config: blob('application/vnd.oci.empty.v1+json', empty),
      layers: [{ ...layer, annotations: { 'org.opencontainers.image.title': 'db.tar.gz' } }],
    }),
  );
  const server = createServer(async ({ url = '' }, response) => {
    if (url === '/v2/') return response.end();
    if (url.includes('/manifests/')) {
      response.setHeader('Content-Type', 'application/vnd.oci.image.manifest.v1+json');
      return response.end(manifest);
    }
    if (!url.endsWith(layer.digest)) return response.end(empty);
    response.setHeader('Content-Length', database.length);
    response.write(database.subarray(0, 100));
    await pause();
    return response.end(database.subarray(100));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no TCP address');
  return {
    repository: `127.0.0.1:${address.port}/trivy-db:2`,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
