import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { type Accounts, openAccounts } from '../../src/server/accounts.ts';
import { createLogger } from '../../src/server/log.ts';
import { readSettings } from '../../src/server/settings/read.ts';

/** Of nobody; long enough to be one. */
export const ADMIN_KEY = 'planted-admin-key-0123456789-0123456789';

/** A data directory that is gone when the tests of the file are over. */
export function dataDirectory(): string {
  const path = mkdtempSync(join(tmpdir(), 'thoth-data-'));
  after(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** The accounts of a new data directory, or of the one that is named, and what they log. */
export function openTestAccounts(environment: Readonly<Record<string, string>> = {}): {
  readonly accounts: Accounts;
  readonly lines: Record<string, unknown>[];
} {
  const settings = readSettings({ DATA_DIR: dataDirectory(), THOTH_ADMIN_KEY: ADMIN_KEY, ...environment });
  const lines: Record<string, unknown>[] = [];
  const logger = createLogger(settings, { write: (line) => void lines.push(JSON.parse(line)) });
  const accounts = openAccounts(settings, logger, (model) => [model]);
  after(() => accounts.close());
  return { accounts, lines };
}
