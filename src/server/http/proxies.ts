import type { IncomingMessage } from 'node:http';
import { BlockList, isIP } from 'node:net';

const MAPPED = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i;

/** The proxies that are believed what they say of a request's way here. */
export class Proxies {
  readonly #trusted = new BlockList();

  /** @param networks IP addresses, and networks like 10.0.0.0/8 */
  constructor(networks: readonly string[]) {
    for (const network of networks) {
      const [address = '', bits] = network.split('/');
      if (bits === undefined) this.#trusted.addAddress(address, familyOf(address));
      else this.#trusted.addSubnet(address, Number(bits), familyOf(address));
    }
  }

  /** Whether the request came by HTTPS, at least to the proxy that is next to this service. */
  isSecure({ socket, headers }: IncomingMessage): boolean {
    return this.#trusts(peerOf(socket.remoteAddress)) && lastOf(headers['x-forwarded-proto']) === 'https';
  }

  /** Who sent the request: the last address on its way here that is none of a trusted proxy's. */
  clientOf({ socket, headers }: IncomingMessage): string | undefined {
    let client = peerOf(socket.remoteAddress);
    const way = listOf(headers['x-forwarded-for']);
    while (client !== undefined && this.#trusts(client)) {
      const before = peerOf(way.pop());
      if (before === undefined || isIP(before) === 0) break;
      client = before;
    }
    return client;
  }

  #trusts(address: string | undefined): boolean {
    return address !== undefined && isIP(address) !== 0 && this.#trusted.check(address, familyOf(address));
  }
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIP(address) === 6 ? 'ipv6' : 'ipv4';
}

/** An IPv4 address is one also where a socket for both families writes it as IPv6. */
function peerOf(address: string | undefined): string | undefined {
  return address === undefined ? undefined : (MAPPED.exec(address)?.[1] ?? address);
}

function listOf(header: string | string[] | undefined): string[] {
  return String(header ?? '')
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

/** What the nearest proxy said: it adds to what others have said before. */
function lastOf(header: string | string[] | undefined): string | undefined {
  return listOf(header).at(-1)?.toLowerCase();
}
