import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi';
import { VERSION } from '../version.ts';
import type { HttpEnvironment } from './environment.ts';

const Health = z
  .object({
    status: z.literal('ok'),
    version: z.string(),
    uptime: z.number().nonnegative().meta({ description: 'Seconds since the process started.' }),
  })
  .openapi('Health');

const route = createRoute({
  method: 'get',
  path: '/health',
  operationId: 'health',
  summary: 'Whether the process runs',
  description: 'Needs no key, and asks no disk, database or provider.',
  tags: ['Operations'],
  responses: {
    200: { description: 'It runs.', content: { 'application/json': { schema: Health } } },
  },
});

/** `GET /health`: liveness. It must stay free of anything that can fail or take time. */
export function addHealth(app: OpenAPIHono<HttpEnvironment>): void {
  app.openapi(route, (context) => {
    context.header('Cache-Control', 'no-store');
    const uptime = Math.round(process.uptime() * 1000) / 1000;
    return context.json({ status: 'ok' as const, version: VERSION, uptime }, 200);
  });
}
