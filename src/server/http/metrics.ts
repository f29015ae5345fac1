import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi';
import type { Settings } from '../settings/schema.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { Authorize, HttpEnvironment } from './environment.ts';
import { errorResponses } from './error-responses.ts';

const route = createRoute({
  method: 'get',
  path: '/metrics',
  operationId: 'metrics',
  summary: 'Counts and times for Prometheus',
  description: 'METRICS decides who may read it.',
  tags: ['Operations'],
  security: [{ key: [] }],
  responses: {
    200: { description: "Prometheus' text format.", content: { 'text/plain': { schema: z.string() } } },
    ...errorResponses(401, 403, 429),
  },
});

/** `GET /metrics`, for those whom the setting METRICS lets. */
export function addMetrics(
  app: OpenAPIHono<HttpEnvironment>,
  authorize: Authorize,
  metrics: Metrics,
  access: Settings['METRICS'],
): void {
  if (access === 'off') return;
  app.openAPIRegistry.registerPath(route);
  if (access === 'key') app.use(route.path, authorize('usage'));
  app.get(route.path, async (context) => {
    context.header('Content-Type', metrics.registry.contentType);
    context.header('Cache-Control', 'no-store');
    return context.body(await metrics.registry.metrics());
  });
}
