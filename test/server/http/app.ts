import { OpenAPIHono } from '@hono/zod-openapi';
import { pino } from 'pino';
import type { HttpEnvironment } from '../../../src/server/http/environment.ts';
import { errorReply } from '../../../src/server/http/error-reply.ts';
import { invalidRequest } from '../../../src/server/http/invalid-request.ts';

/** An app without routes that answers errors as the service does. */
export function emptyApp(): OpenAPIHono<HttpEnvironment> {
  const app = new OpenAPIHono<HttpEnvironment>({ defaultHook: invalidRequest });
  app.onError(errorReply(pino({ level: 'silent' })));
  return app;
}
