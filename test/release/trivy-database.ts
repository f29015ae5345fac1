import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { gzipSync } from 'node:zlib';
import { bboltFile } from './bbolt.ts';
import { tar } from './tar.ts';

/** A vulnerability that a database holds; one a package. */
export interface Known {
  readonly id: string;
  readonly package: string;
  readonly fixedIn: string;
  readonly severity: string;
}

/** Trivy's database (schema 2), of Debian 13 alone, as its registry serves it. */
export function trivyDatabase(updated: Date, known: readonly Known[]): Buffer {
  const advisories = known.map((one) => [
    one.package,
    { [one.id]: JSON.stringify({ FixedVersion: one.fixedIn }) },
  ]);
  const details = known.map(({ id, severity }) => [
    id,
    JSON.stringify({ Title: `Title of ${id}`, Severity: severity }),
  ]);
  const metadata = { Version: 2, UpdatedAt: updated, NextUpdate: new Date(updated.getTime() + 86_400_000) };
  return gzipSync(
    tar({
      'trivy.db': bboltFile({
        'debian 13': Object.fromEntries(advisories),
        'data-source': {},
        vulnerability: Object.fromEntries(details),
      }),
      'metadata.json': JSON.stringify(metadata),
    }),
  );
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
