import type { OpenAPIHono } from '@hono/zod-openapi';
import { etag } from 'hono/etag';
import { consoleFiles } from '../console/files.ts';
import type { HttpEnvironment } from './environment.ts';
import { notFound } from './error-reply.ts';

const TYPES: Readonly<Record<string, string>> = {
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  svg: 'image/svg+xml',
};

/** What the page may do: load its own files, and ask this service. Text can not become HTML or a script. */
export const CONSOLE_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ');

let files: ReturnType<typeof consoleFiles> | undefined;

/** A file of the console; `undefined` where it has no such file. */
export async function consoleFile(name: string): Promise<string | undefined> {
  files ??= consoleFiles();
  const all = await files;
  return Object.hasOwn(all, name) ? all[name] : undefined;
}

/** `GET /console/NAME`: what the page at `/` is made of. */
export function addConsole(app: OpenAPIHono<HttpEnvironment>): void {
  app.get('/console/:name', etag(), async (context) => {
    const name = context.req.param('name');
    const type = TYPES[name.split('.').at(-1) ?? ''];
    const file = type === undefined ? undefined : await consoleFile(name);
    if (file === undefined) return await notFound(context);
    context.header('Content-Type', type ?? '');
    context.header('Cache-Control', 'no-cache'); // asked for again each time, and answered 304: an update shows at once
    return context.body(file);
  });
}
