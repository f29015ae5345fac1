import { createServer } from 'node:net';

/**
 * A loopback port nothing listens on. Another process could take it meanwhile: whoever binds it then says so.
 *
 * @param wanted the port to ask for; any where it is 0
 * @throws what listening throws, where somebody listens on the one that is wanted
 */
export async function freePort(wanted = 0): Promise<number> {
  const server = createServer();
  await new Promise<void>((done, failed) => server.once('error', failed).listen(wanted, '127.0.0.1', done));
  const address = server.address();
  await new Promise((done) => server.close(done));
  if (address === null || typeof address === 'string') throw new Error('a TCP server has a port');
  return address.port;
}
