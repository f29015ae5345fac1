import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ReleaseError } from '../errors.ts';
import { sha256 } from '../image/digest.ts';
import { writeWhole } from '../machine/file.ts';

const CERTIFICATE = /-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----/gs;

/**
 * Has regctl trust a certificate authority for one registry, and the token server and storage that this registry
 * sends it to, besides the system's own authorities.
 *
 * Go's SSL_CERT_DIR would do it too. But it takes a folder, so that everything beside the file is read, and every
 * certificate there is trusted for every host.
 *
 * @param home the folder that holds everything this project makes
 * @param registry its host, or `docker.io`
 * @param path PEM file; what it holds besides certificates, such as a key, is left where it is
 * @returns the path of a configuration for regctl
 * @throws ReleaseError SETTING_INVALID where the file can't be read or holds no certificate; DISK
 */
export async function trustAuthority(home: string, registry: string, path: string): Promise<string> {
  const regcert = certificatesIn(await readPem(path), path).join('\n');
  const text = `${JSON.stringify({ hosts: { [registry]: { regcert } } })}\n`;
  // Named after what it holds: commands that run at the same time with other settings have files of their own.
  const config = join(home, 'regctl', `${sha256(text).slice(0, 16)}.json`);
  await writeWhole(config, text);
  return config;
}

async function readPem(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw invalid(path, 'can not be read', error);
  }
}

function certificatesIn(text: string, path: string): string[] {
  const found = text.match(CERTIFICATE) ?? [];
  if (found.length === 0) throw invalid(path, 'holds no certificate');
  for (const certificate of found) {
    try {
      new X509Certificate(certificate);
    } catch (error) {
      throw invalid(path, 'holds a certificate that can not be read', error);
    }
  }
  return found;
}

function invalid(path: string, what: string, cause?: unknown): ReleaseError {
  return new ReleaseError(
    'SETTING_INVALID',
    `THOTH_REGISTRY_CA: ${path} ${what}.`,
    "Name the PEM file of the authority that signed the registry's certificate.",
    cause instanceof Error ? [cause.message] : [],
    cause,
  );
}
