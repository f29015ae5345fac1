import { EXIT } from '../exit.ts';
import { Failure } from '../failure.ts';
import { readSetting, readSettings } from '../settings/read.ts';
import { SETTING_NAMES, type Settings } from '../settings/schema.ts';
import { REVISION, VERSION } from '../version.ts';
import { type Command, print } from './command.ts';
import { type Finding, findData } from './doctor-data.ts';
import { checkProviderKeys } from './key-check.ts';

/** `thoth doctor`: what a bug report needs, without a secret. */
export const doctor: Command = {
  async run(input) {
    const { settings, findings } = findSettings();
    findings.push(...(await findData(dataDirectory())));
    if (settings !== undefined && !input.has('offline')) findings.push(...(await findProviders(settings)));
    const report = {
      thoth: VERSION,
      revision: REVISION,
      node: process.versions.node,
      platform: `${process.platform} ${process.arch}`,
      user: process.getuid?.() ?? null,
      settings: settings === undefined ? null : shown(settings),
      ok: findings.every(({ ok }) => ok),
      findings,
    };
    print(input, report, text(report));
    return report.ok ? EXIT.done : EXIT.failed;
  },
};

function findSettings(): { readonly settings: Settings | undefined; readonly findings: Finding[] } {
  try {
    return {
      settings: readSettings(process.env),
      findings: [{ subject: 'settings', ok: true, detail: 'valid' }],
    };
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    const findings = error.faults.map(({ subject, problem, fix }) => ({
      subject,
      ok: false,
      detail: problem,
      fix,
    }));
    return { settings: undefined, findings };
  }
}

/** Where DATA_DIR is wrong, that was found already; what is in it can not be looked at. */
function dataDirectory(): string | undefined {
  try {
    return readSetting(process.env, 'DATA_DIR');
  } catch {
    return undefined;
  }
}

async function findProviders(settings: Settings): Promise<Finding[]> {
  const checks = await checkProviderKeys(settings);
  if (checks.length === 0) {
    const fix = 'Set OPENAI_API_KEY, ANTHROPIC_API_KEY or GOOGLE_API_KEY.';
    return [{ subject: 'providers', ok: false, detail: 'no provider key is given', fix }];
  }
  return checks.map(({ provider, state, reason }) => {
    const finding = { subject: provider, ok: state === 'valid', detail: `${state} (${reason})` };
    return finding.ok ? finding : { ...finding, fix: 'Check the key and the way to the provider.' };
  });
}

/** The settings that are not as they come, secrets as `[secret]`. */
function shown(settings: Settings): Record<string, unknown> {
  const given = SETTING_NAMES.filter(
    (name) => (process.env[name]?.trim() ?? '') !== '' || (process.env[`${name}_FILE`]?.trim() ?? '') !== '',
  );
  return Object.fromEntries(
    given.map((name) => {
      const value = settings[name];
      return [name, value instanceof Map ? Object.fromEntries(value) : value];
    }),
  );
}

function text(report: {
  readonly thoth: string;
  readonly revision: string;
  readonly node: string;
  readonly platform: string;
  readonly user: number | null;
  readonly settings: Record<string, unknown> | null;
  readonly findings: readonly Finding[];
}): string {
  const { thoth, revision, node, platform, user } = report;
  const settings = Object.entries(report.settings ?? {}).map(
    ([name, value]) => `  ${name}=${typeof value === 'string' ? value : JSON.stringify(value)}\n`,
  );
  const findings = report.findings.map(
    ({ subject, ok, detail, fix }) =>
      `${ok ? 'ok  ' : 'FAIL'}  ${subject}: ${detail}\n${fix === undefined ? '' : `      Fix: ${fix}\n`}`,
  );
  return `thoth ${thoth} (revision ${revision}, Node ${node}, ${platform}, user ${user ?? 'unknown'})\n${
    settings.length > 0 ? `Settings:\n${settings.join('')}` : ''
  }${findings.join('')}`;
}
