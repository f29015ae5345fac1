import type { Logger } from 'pino';
import { EXIT } from '../exit.ts';
import { ProviderKeys } from '../gateway/provider-keys.ts';
import { ApiError } from '../http/api-error.ts';
import type { Authorize } from '../http/environment.ts';
import { Listener } from '../http/listener.ts';
import { createLogger } from '../log.ts';
import { missing } from '../readiness.ts';
import { SecretValues } from '../redact.ts';
import { createService } from '../service.ts';
import { watchKeys } from '../settings/key-watch.ts';
import { readSettings } from '../settings/read.ts';
import { secretsOf } from '../settings/schema.ts';
import { firstStopSignal } from '../signals.ts';
import { DataDirectory } from '../store/data-directory.ts';
import type { Meter } from '../usage/meter.ts';
import { REVISION, VERSION } from '../version.ts';
import type { Command } from './command.ts';

/** `thoth serve`: runs the service until it is told to stop. */
export const serve: Command = {
  async run() {
    const stop = firstStopSignal();
    const settings = readSettings(process.env);
    const secrets = new SecretValues(secretsOf(settings));
    const logger = createLogger(settings, undefined, secrets);
    exitOnBug(logger);

    const data = new DataDirectory(settings.DATA_DIR);
    const keys = new ProviderKeys(
      settings,
      () => readSettings(process.env),
      logger,
      (key) => secrets.add(key),
    );
    const unwatch = watchKeys(process.env, () => keys.reload());
    const readiness = [() => data.check(), keys.check];
    const service = createService({ settings, logger, keys, readiness, meter: noMeter, authorize: nobody });
    const listener = new Listener(service.app.fetch);
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
    unwatch();
    await service.close();
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

/** As long as there are no client keys, no request has one. */
const nobody: Authorize = () => () => {
  throw new ApiError(401, { code: 'invalid_api_key', message: 'There is no client key yet.' });
};

const noMeter: Meter = { open: () => ({ close: () => undefined }) };
