import { z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import type { Logger } from 'pino';
import type { Gateway, Inquiry, Reply } from '../gateway/gateway.ts';
import type { ModelNames } from '../gateway/models.ts';
import { estimateOf } from '../providers/estimate.ts';
import { JsonMembers } from '../providers/json-members.ts';
import { NotAnObject } from '../providers/json-scanner.ts';
import { notJson, schemaFault } from '../providers/request-fault.ts';
import type { Bodies } from './body.ts';
import { clientSignal } from './client.ts';
import type { HttpEnvironment } from './environment.ts';

/** What the routes that ask models need. */
export interface InquiryParts {
  readonly gateway: Gateway;
  readonly names: ModelNames;
  readonly bodies: Bodies;
  /** Where what is asked is logged; absent where it is not, as it is unless LOG_PROMPTS says so. */
  readonly promptLog?: Logger;
}

const LONGEST_NAME = 300;

/** What is read of every request before it is known whose model it is for. */
const Envelope = z.object({
  model: z.string().min(1).max(LONGEST_NAME),
  stream: z.boolean().nullish(),
});

const limit = z.number().int().positive().optional().catch(undefined);

const ENDPOINTS = { chat: 'chat.completions', embeddings: 'embeddings', responses: 'responses' } as const;

/** Answers a request to a model: reads it, has it answered, and passes the answer on. */
export function inquiryHandler(kind: Inquiry['kind'], { gateway, names, bodies, promptLog }: InquiryParts) {
  return async (context: Context<HttpEnvironment>): Promise<Response> => {
    const signal = clientSignal(context);
    const body = await bodies.read(context);
    try {
      const request = new JsonMembers(body.bytes);
      promptLog?.info({ requestId: context.get('requestId'), body: body.bytes.toString() }, 'prompt');
      const { model, stream } = readEnvelope(request);
      const targets = names.targetsOf(model);
      const reply = await gateway.ask(
        {
          call: {
            requestId: context.get('requestId'),
            caller: context.get('caller'),
            endpoint: ENDPOINTS[kind],
            model,
            streamed: stream === true && kind !== 'embeddings',
          },
          kind,
          request,
          targets,
          estimate: estimate(kind, request),
          span: context.get('span'),
        },
        signal,
      );
      return respond(context, reply);
    } catch (error) {
      throw error instanceof NotAnObject ? notJson(error) : error;
    } finally {
      body.release();
    }
  };
}

/** @throws ApiError 400 */
function readEnvelope(request: JsonMembers): z.infer<typeof Envelope> {
  const parsed = Envelope.safeParse({ model: request.get('model'), stream: request.get('stream') });
  if (!parsed.success) throw schemaFault(parsed.error);
  return parsed.data;
}

function estimate(kind: Inquiry['kind'], request: JsonMembers): Inquiry['estimate'] {
  if (kind === 'embeddings') return { ...estimateOf(request, {}), maxOutput: 0 };
  const named = ['max_completion_tokens', 'max_output_tokens', 'max_tokens'].map((name) => request.get(name));
  const most = named.map((value) => limit.parse(value)).find((value) => value !== undefined);
  const answers = limit.parse(request.get('n'));
  return estimateOf(request, { ...(most ? { limit: most } : {}), ...(answers ? { answers } : {}) });
}

function respond(context: Context<HttpEnvironment>, { body, streamed, answeredBy }: Reply): Response {
  context.header('X-Thoth-Model', answeredBy);
  if (!streamed) {
    context.header('Content-Type', 'application/json');
    return context.body(body as Uint8Array<ArrayBuffer> | string);
  }
  context.header('Content-Type', 'text/event-stream; charset=utf-8');
  context.header('Cache-Control', 'no-cache');
  // nginx would hold the stream back until it has some kilobytes.
  context.header('X-Accel-Buffering', 'no');
  return context.body(body as ReadableStream);
}
