import type { Logger } from 'pino';
import { EXIT } from '../exit.ts';
import { createApp } from '../http/app.ts';
import { Listener } from '../http/listener.ts';
import { createLogger } from '../log.ts';
import { missing, providerKeyCheck } from '../readiness.ts';
import { readSettings } from '../settings/read.ts';
import { firstStopSignal } from '../signals.ts';
import { DataDirectory } from '../store/data-directory.ts';
import { REVISION, VERSION } from '../version.ts';
import type { Command } from './command.ts';

/** `thoth serve`: runs the service until it is told to stop. */
export const serve: Command = {
  async run() {
    const stop = firstStopSignal();
    const settings = readSettings(process.env);
    const logger = createLogger(settings);
    exitOnBug(logger);

    const data = new DataDirectory(settings.DATA_DIR);
    const readiness = [() => data.check(), providerKeyCheck(settings)];
    const listener = new Listener(createApp({ logger, readiness }).fetch);
    await listener.listen(settings.PORT, settings.HOST);
    logger.info(
      { host: settings.HOST, port: settings.PORT, version: VERSION, revision: REVISION },
      'listening',
    );
    void missing(readiness).then((faults) => {
      for (const fault of faults) logger.warn(fault, 'not ready');
    });

    const signal = await stop;
    logger.info({ signal, seconds: settings.SHUTDOWN_SECONDS }, 'stopping');
    const cut = await listener.drain(settings.SHUTDOWN_SECONDS * 1000);
    if (cut > 0) logger.warn({ requests: cut }, 'requests were cut off: SHUTDOWN_SECONDS is over');
    logger.info('stopped');
    return EXIT.done;
  },
};

/** After an error that nothing caught, the state is unknown: log it and let the supervisor start anew. */
function exitOnBug(logger: Logger): void {
  process.on('uncaughtException', (error) => {
    logger.fatal({ err: error }, 'an error that nothing caught');
    process.exit(EXIT.failed);
  });
}
