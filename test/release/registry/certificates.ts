import { join } from 'node:path';
import { execa } from 'execa';

/** PEM files of a certificate and its key. */
export interface Certified {
  readonly certificate: string;
  readonly key: string;
}

/** Makes a certificate authority of the test's own, by openssl; it signs itself. */
export function makeAuthority(dir: string, name: string): Promise<Certified> {
  return request(dir, name, []);
}

/** Makes a certificate for registries on this machine, signed by an authority. */
export function certify(dir: string, name: string, by: Certified): Promise<Certified> {
  return request(dir, name, [
    ...['-CA', by.certificate, '-CAkey', by.key],
    ...['-addext', 'subjectAltName=IP:127.0.0.1,IP:0.0.0.0'],
    ...['-addext', 'basicConstraints=critical,CA:FALSE'],
  ]);
}

async function request(dir: string, name: string, more: readonly string[]): Promise<Certified> {
  const files = { certificate: join(dir, `${name}.pem`), key: join(dir, `${name}.key`) };
  await execa('openssl', [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'],
    ...['-subj', `/CN=Thoth test ${name}`, '-out', files.certificate, '-keyout', files.key],
    ...more,
  ]);
  return files;
}
