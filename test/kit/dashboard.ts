import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { ROOT } from './machine.ts';

export const DASHBOARD = join(ROOT, 'deploy/compose/grafana/dashboard/thoth.json');

const Dashboard = z.object({
  panels: z.array(
    z.object({
      id: z.number(),
      title: z.string(),
      gridPos: z.object({ x: z.number(), y: z.number(), w: z.number(), h: z.number() }),
      datasource: z.object({ type: z.string(), uid: z.string() }),
      targets: z.array(z.object({ expr: z.string() })),
    }),
  ),
});

export async function readDashboard(): Promise<z.infer<typeof Dashboard>> {
  return Dashboard.parse(JSON.parse(await readFile(DASHBOARD, 'utf8')));
}

/** What the dashboard asks Prometheus. */
export async function dashboardQueries(): Promise<string[]> {
  return (await readDashboard()).panels.flatMap(({ targets }) => targets.map(({ expr }) => expr));
}
