import assert from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import { describe, test } from 'node:test';
import { Proxies } from '../../../src/server/http/proxies.ts';

const proxies = new Proxies(['10.0.0.0/8', '192.168.1.1', 'fd00::/8']);

/** A request from `peer` with these headers. */
function from(peer: string, headers: Record<string, string>): IncomingMessage {
  return { socket: { remoteAddress: peer }, headers } as unknown as IncomingMessage;
}

describe('came by HTTPS', () => {
  const cases: readonly [string, string, string | undefined, boolean][] = [
    ['a trusted proxy says so', '10.1.2.3', 'https', true],
    ['in capitals', '10.1.2.3', 'HTTPS', true],
    ['by IPv6', 'fd00::1', 'https', true],
    ['an IPv4 address written as IPv6', '::ffff:10.1.2.3', 'https', true],
    ['the nearest proxy counts', '10.1.2.3', 'http, https', true],
    ['what the client itself said does not', '10.1.2.3', 'https, http', false],
    ['a trusted proxy says nothing', '10.1.2.3', undefined, false],
    ['a trusted proxy says http', '192.168.1.1', 'http', false],
    ['anybody else says so', '192.168.1.2', 'https', false],
    ['an address of no kind', 'unknown', 'https', false],
  ];
  for (const [name, peer, proto, expected] of cases) {
    test(name, () => {
      const headers: Record<string, string> = proto === undefined ? {} : { 'x-forwarded-proto': proto };
      assert.equal(proxies.isSecure(from(peer, headers)), expected);
    });
  }
});

describe('the client', () => {
  const cases: readonly [string, string, string | undefined, string][] = [
    ['is who connects', '1.2.3.4', undefined, '1.2.3.4'],
    ['may say of itself what it likes', '1.2.3.4', '5.6.7.8', '1.2.3.4'],
    ['is whom the proxy names', '10.0.0.1', '5.6.7.8', '5.6.7.8'],
    ['is whom the proxy names last', '10.0.0.1', '9.9.9.9, 5.6.7.8', '5.6.7.8'],
    ['is in front of all trusted proxies', '10.0.0.1', '9.9.9.9, 5.6.7.8, 10.0.0.2', '5.6.7.8'],
    ['is the proxy where nobody is named', '10.0.0.1', undefined, '10.0.0.1'],
    ['is the last trusted one where the rest is nonsense', '10.0.0.1', '<script>, 10.0.0.2', '10.0.0.2'],
  ];
  for (const [name, peer, way, expected] of cases) {
    test(name, () => {
      const headers: Record<string, string> = way === undefined ? {} : { 'x-forwarded-for': way };
      assert.equal(proxies.clientOf(from(peer, headers)), expected);
    });
  }
});
