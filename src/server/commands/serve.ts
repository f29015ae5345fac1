import type { Logger } from 'pino';
import { type Accounts, openAccounts } from '../accounts.ts';
import { EXIT } from '../exit.ts';
import { Failure } from '../failure.ts';
import { ModelNames } from '../gateway/models.ts';
import { ProviderKeys } from '../gateway/provider-keys.ts';
import { Listener } from '../http/listener.ts';
import { makeFirstKey } from '../keys/first-key.ts';
import { createLogger } from '../log.ts';
import { nameOf } from '../providers/model-name.ts';
import { missing } from '../readiness.ts';
import { SecretValues } from '../redact.ts';
import { createService } from '../service.ts';
import { watchKeys } from '../settings/key-watch.ts';
import { readSettings } from '../settings/read.ts';
import { type Settings, secretsOf } from '../settings/schema.ts';
import { firstStopSignal } from '../signals.ts';
import { DataDirectory } from '../store/data-directory.ts';
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
    const names = new ModelNames(settings, keys);
    const accounts = openAccounts(settings, logger, (model) => names.targetsOf(model).map(nameOf));
    prepare(accounts, settings, logger);
    const storeCheck = async () => (await data.check()) ?? accounts.store.check();
    const readiness = [storeCheck, keys.check];
    const service = createService({ settings, logger, keys, names, readiness, accounts });
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
    accounts.close();
    logger.info('stopped');
    return EXIT.done;
  },
};

/**
 * Opens the store, so that a migration is over before requests come, and sees to it that somebody has a key. Where
 * the data directory can't be used, /ready says so, and it is tried again with every request.
 *
 * @throws Failure where starting again would not help: data of a newer version, or in use by another service
 */
function prepare({ store, keyring, recorder }: Accounts, settings: Settings, logger: Logger): void {
  if (settings.AUTH === 'off') logger.warn('AUTH is off: whoever is on this machine may use it');
  if (settings.LOG_PROMPTS === 'true') logger.warn('LOG_PROMPTS is true: the log has what is asked');
  try {
    store.open();
    recorder.flush(); // what an earlier process left
    if (settings.AUTH === 'on' && settings.THOTH_ADMIN_KEY === undefined) {
      makeFirstKey(keyring, (text) => process.stderr.write(text));
    }
  } catch (error) {
    if (!(error instanceof Failure) || error.exitCode !== EXIT.storage) throw error;
  }
}

/** After an error that nothing caught, the state is unknown: log it and let the supervisor start anew. */
function exitOnBug(logger: Logger): void {
  process.on('uncaughtException', (error) => {
    logger.fatal({ err: error }, 'an error that nothing caught');
    process.exit(EXIT.failed);
  });
}
