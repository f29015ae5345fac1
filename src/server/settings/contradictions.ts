import type { Fault } from '../failure.ts';
import type { Settings } from './schema.ts';

/** What is wrong between settings that are each right. */
export function contradictions(settings: Settings): Fault[] {
  return [needsProxy(settings), unsafeAuth(settings)].filter((fault) => fault !== undefined);
}

function needsProxy({ PUBLIC_URL, TRUSTED_PROXIES }: Settings): Fault | undefined {
  if (!PUBLIC_URL?.startsWith('https:') || TRUSTED_PROXIES !== undefined) return undefined;
  return {
    subject: 'TRUSTED_PROXIES',
    problem: 'is needed where PUBLIC_URL begins with https: without it every request would be refused',
    fix: 'Set it to the address or network of the proxy that ends TLS, such as TRUSTED_PROXIES=172.16.0.0/12.',
  };
}

function unsafeAuth({ AUTH, HOST }: Settings): Fault | undefined {
  if (AUTH === 'on' || HOST === 'localhost' || HOST === '::1' || HOST.startsWith('127.')) return undefined;
  return {
    subject: 'AUTH',
    problem: 'is off, and HOST is not a loopback address: whoever reaches it could spend your money',
    fix: 'Set AUTH=on, or HOST=127.0.0.1.',
  };
}
