import type { Fault } from '../failure.ts';
import type { Settings } from './schema.ts';

/** What is wrong between settings that are each right. */
export function contradictions({ PUBLIC_URL, TRUSTED_PROXIES }: Settings): Fault[] {
  if (!PUBLIC_URL?.startsWith('https:') || TRUSTED_PROXIES !== undefined) return [];
  return [
    {
      subject: 'TRUSTED_PROXIES',
      problem: 'is needed where PUBLIC_URL begins with https: without it every request would be refused',
      fix: 'Set it to the address or network of the proxy that ends TLS, such as TRUSTED_PROXIES=172.16.0.0/12.',
    },
  ];
}
