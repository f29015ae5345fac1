import { ErrorBody } from './error-reply.ts';

/** Every status that a request for a model may be refused with, and what it means; for /openapi.json and docs/API.md. */
export const ERROR_STATUS = {
  400: 'The request is wrong, or asks for what the provider can not do. `param` names the parameter.',
  401: 'There is no key, or it is unknown, expired or revoked.',
  402: 'The provider wants to be paid first.',
  403: 'The key may not be used for this, or the request did not come by HTTPS.',
  404: 'No such model, or its provider has no key here.',
  409: 'The provider says that the request collides with another one.',
  413: 'The body is larger than MAX_BODY_MB.',
  415: 'The body is not `application/json`.',
  422: 'The provider can not process the request.',
  429: "The key's limit or budget, or the provider's. `Retry-After` says when to come back.",
  500: 'A bug. The log has more under the request id.',
  502: 'The provider failed, broke off or can not be reached, or refused the key that is set for it.',
  503: 'The gateway or the provider is busy, or the provider is left alone for a while. `Retry-After` says when to come back.',
  504: 'The provider did not begin its answer in time.',
} as const;

type Status = keyof typeof ERROR_STATUS;

/** The refusals of a route as OpenAPI describes them. */
export function errorResponses(...statuses: readonly Status[]) {
  return Object.fromEntries(
    statuses.map((status) => [
      status,
      { description: ERROR_STATUS[status], content: { 'application/json': { schema: ErrorBody } } },
    ]),
  );
}

/** Those of a route that asks a provider. */
export function inquiryErrors() {
  return errorResponses(...(Object.keys(ERROR_STATUS).map(Number) as Status[]));
}
