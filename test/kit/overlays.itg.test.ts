import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { execa } from 'execa';
import { parse } from 'yaml';
import { z } from 'zod';
import { Metrics } from '../../src/server/telemetry/metrics.ts';
import { ROOT } from './machine.ts';

const COMPOSE = join(ROOT, '.thoth/tools/bin/compose');
const OVERLAYS = ['https', 'secrets', 'vault', 'monitoring'];
/** What the overlays say has to be set. */
const SETTINGS = `THOTH_DOMAIN=thoth.example.org
VAULT_ADDR=https://vault.example.org:8200
GRAFANA_PASSWORD=planted
OPENAI_API_KEY=sk-planted
`;

const Model = z.object({
  services: z.record(
    z.string(),
    z.looseObject({
      image: z.string(),
      cap_drop: z.array(z.string()).default([]),
      security_opt: z.array(z.string()).default([]),
      mem_limit: z.string().optional(),
      pids_limit: z.number().optional(),
      restart: z.string().optional(),
      privileged: z.boolean().default(false),
      logging: z.looseObject({ driver: z.string() }).optional(),
      networks: z.record(z.string(), z.unknown()).default({}),
      ports: z.array(z.looseObject({ host_ip: z.string().default(''), target: z.number() })).default([]),
    }),
  ),
});

describe('the overlays of deploy/compose', () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'thoth-overlays-'));
    await writeFile(join(folder, '.env'), SETTINGS);
  });
  after(() => rm(folder, { recursive: true, force: true }));

  async function model(overlays: readonly string[]): Promise<z.infer<typeof Model>> {
    const text = await readFile(join(ROOT, 'docker-compose.yml'), 'utf8');
    await writeFile(join(folder, 'docker-compose.yml'), text);
    const files = overlays.flatMap((name) => ['--file', join(ROOT, `deploy/compose/${name}.yml`)]);
    const own = ['--project-directory', folder, '--file', join(folder, 'docker-compose.yml')];
    const { stdout } = await execa(COMPOSE, [...own, ...files, 'config', '--format', 'json'], {
      env: { HOME: folder, PATH: process.env.PATH ?? '' },
      extendEnv: false,
    });
    return Model.parse(JSON.parse(stdout));
  }

  for (const overlays of [[], ...OVERLAYS.map((name) => [name]), OVERLAYS]) {
    test(`${overlays.join(' + ') || 'none'}: every service is confined, and only Caddy is open to other machines`, async () => {
      const { services } = await model(overlays);
      for (const [name, service] of Object.entries(services)) {
        assert.deepEqual(service.cap_drop, ['ALL'], name);
        assert.deepEqual(service.security_opt, ['no-new-privileges:true'], name);
        assert.ok(service.mem_limit !== undefined && service.pids_limit !== undefined, name);
        assert.equal(service.restart, 'unless-stopped', name);
        assert.equal(service.privileged, false, name);
        assert.equal(service.logging?.driver, 'json-file', name);
        assert.deepEqual(Object.keys(service.networks), ['thoth_network'], name);
        for (const { host_ip } of service.ports)
          assert.equal(host_ip, name === 'caddy' ? '' : '127.0.0.1', name);
      }
    });
  }

  for (const [overlay, needed] of [
    ['https', 'THOTH_DOMAIN'],
    ['vault', 'VAULT_ADDR'],
    ['monitoring', 'GRAFANA_PASSWORD'],
  ] as const) {
    test(`${overlay} says that ${needed} has to be set`, async () => {
      await writeFile(join(folder, '.env'), SETTINGS.replace(new RegExp(`^${needed}=.*\\n`, 'm'), ''));
      await assert.rejects(model([overlay]), new RegExp(needed));
      await writeFile(join(folder, '.env'), SETTINGS);
    });
  }

  test("Prometheus' own promtool takes its configuration", async () => {
    const config = join(ROOT, 'deploy/compose/prometheus/prometheus.yml');
    const { stdout } = await execa('promtool', ['check', 'config', config]);
    assert.match(stdout, /1 rule files found.*4 rules found/s);
  });

  test('each alert goes off when it should, and not before', async () => {
    const { stdout } = await execa('promtool', ['test', 'rules', join(ROOT, 'test/kit/alerts.yml')]);
    assert.match(stdout, /SUCCESS/);
  });

  test('the dashboard and the alerts ask for metrics that there are', async () => {
    const metrics = new Metrics();
    metrics.watch({ inFlight: () => 0, queued: () => 0, breaker: () => 'closed' });
    const named = (await metrics.registry.getMetricsAsJSON()).map(({ name }) => name);
    const there = new Set(['up', ...named, ...named.map((name) => `${name}_bucket`)]);
    const dashboard = await readFile(join(ROOT, 'deploy/compose/grafana/dashboard/thoth.json'), 'utf8');
    const alerts = parse(await readFile(join(ROOT, 'deploy/compose/prometheus/alerts.yml'), 'utf8'));
    const asked = [
      ...dashboard.matchAll(/"expr": "((?:[^"\\]|\\.)*)"/g),
      ...JSON.stringify(alerts).matchAll(/"expr":"((?:[^"\\]|\\.)*)"/g),
    ].flatMap(([, query = '']) => query.match(/\b(?:up|(?:thoth|process|nodejs)_[a-z0-9_]+)\b/g) ?? []);
    assert.ok(asked.length > 15);
    assert.deepEqual(
      [...new Set(asked)].filter((name) => !there.has(name)),
      [],
    );
  });
});
