import type { Logger } from 'pino';
import { EXIT } from './exit.ts';
import { Failure } from './failure.ts';
import { createAuthorize } from './http/authorize.ts';
import type { Authorize } from './http/environment.ts';
import { Keyring } from './keys/keyring.ts';
import { Allowances } from './limits/allowances.ts';
import type { Settings } from './settings/schema.ts';
import { Store } from './store/store.ts';
import { KeyMeter } from './usage/key-meter.ts';
import type { Meter } from './usage/meter.ts';
import type { Price } from './usage/price-list.ts';
import { Prices, readPrices } from './usage/prices.ts';
import { Recorder } from './usage/recorder.ts';
import { UsageReport } from './usage/report.ts';
import { Retention } from './usage/retention.ts';

/** Who may call, what they may use, and what they used: all that is kept in the data directory. */
export interface Accounts {
  readonly store: Store;
  readonly keyring: Keyring;
  readonly authorize: Authorize;
  readonly meter: Meter;
  readonly recorder: Recorder;
  readonly report: UsageReport;
  /** Writes what waits to be written, and lets the data directory go. */
  close(): void;
}

/**
 * Puts them together. The data directory may still be missing: it is opened when it is there.
 *
 * @param routes where a model's name may lead, as `provider/name`
 * @throws Failure with exit code 78 where PRICES_FILE is wrong
 */
export function openAccounts(
  settings: Settings,
  logger: Logger,
  routes: (model: string) => readonly string[],
): Accounts {
  const store = new Store(settings.DATA_DIR, { service: true });
  const keyring = new Keyring(store);
  const recorder = new Recorder(store, logger);
  const allowances = new Allowances((keyId, month) => recorder.spentSince(keyId, month));
  const prices = new Prices(settings.PRICES_FILE === undefined ? {} : pricesOf(settings.PRICES_FILE));
  const retention = new Retention(store, settings.USAGE_DAYS, logger);
  retention.start();
  return {
    store,
    keyring,
    recorder,
    report: new UsageReport(store),
    authorize: createAuthorize({
      keyring,
      allowances,
      adminKey: settings.THOTH_ADMIN_KEY,
      auth: settings.AUTH,
    }),
    meter: new KeyMeter({ allowances, prices, recorder, logger, routes }),
    close: () => {
      retention.stop();
      recorder.close();
      store.close();
    },
  };
}

function pricesOf(path: string): Readonly<Record<string, Price>> {
  const prices = readPrices(path);
  if (typeof prices !== 'string') return prices;
  throw new Failure(EXIT.settings, 'A setting is wrong.', [
    {
      subject: 'PRICES_FILE',
      problem: `names a file that ${prices}`,
      fix: 'docs/API.md shows what it is like.',
    },
  ]);
}
