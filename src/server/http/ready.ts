import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi';
import { missing, type ReadinessCheck } from '../readiness.ts';
import type { HttpEnvironment } from './environment.ts';

const Ready = z.object({ status: z.literal('ready') }).openapi('Ready');
const NotReady = z
  .object({
    status: z.literal('not ready'),
    missing: z.array(z.object({ subject: z.string(), problem: z.string(), fix: z.string() })).min(1),
  })
  .openapi('NotReady');

const route = createRoute({
  method: 'get',
  path: '/ready',
  operationId: 'ready',
  summary: 'Whether requests can be served',
  description: 'Ready means: the data directory can be written and at least one provider key is given.',
  tags: ['Operations'],
  responses: {
    200: { description: 'Ready.', content: { 'application/json': { schema: Ready } } },
    503: {
      description: 'Something is missing; each item says what and how to put it right.',
      content: { 'application/json': { schema: NotReady } },
    },
  },
});

/** `GET /ready`: readiness, for load balancers and people. Needs no key. */
export function addReady(app: OpenAPIHono<HttpEnvironment>, checks: readonly ReadinessCheck[]): void {
  app.openapi(route, async (context) => {
    context.header('Cache-Control', 'no-store');
    const faults = await missing(checks);
    if (faults.length === 0) return context.json({ status: 'ready' as const }, 200);
    return context.json({ status: 'not ready' as const, missing: faults }, 503);
  });
}
