import { html } from 'hono/html';
import { nameOf, objectsIn, type Schema, typeText } from './schema-text.ts';

interface Body {
  readonly description?: string;
  readonly content?: Readonly<Record<string, { readonly schema?: Schema }>>;
}

interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly required?: boolean;
  readonly schema?: Schema;
  readonly description?: string;
}

interface Operation {
  readonly summary?: string;
  readonly description?: string;
  readonly security?: readonly object[];
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: Body;
  readonly responses?: Readonly<Record<string, Body>>;
}

/** As much of an OpenAPI document as the page shows. */
export interface ApiDocument {
  readonly info: { readonly title: string; readonly version: string; readonly description?: string };
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly schemas: Readonly<Record<string, Schema>>;
}

type Piece = ReturnType<typeof html>;

/** The API as one page of HTML, which needs no script and nothing from elsewhere. */
export async function apiPage({ info, paths, schemas }: ApiDocument): Promise<string> {
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ method: method.toUpperCase(), path, operation })),
  );
  const anchor = (method: string, path: string) =>
    `${method}-${path}`.toLowerCase().replace(/[^a-z0-9]+/g, '-');
  return String(
    await html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${info.title} API ${info.version}</title>
<link rel="stylesheet" href="/docs/style.css">
</head>
<body>
<header>
<h1>${info.title} API <small>${info.version}</small></h1>
<p>${info.description} The same for programs: <a href="/openapi.json">/openapi.json</a>.</p>
</header>
<nav aria-label="Operations"><ul>${operations.map(
      ({ method, path, operation }) =>
        html`<li><a href="#${anchor(method, path)}"><b>${method}</b> ${path}</a> ${operation.summary}</li>`,
    )}</ul></nav>
<main>
${operations.map(({ method, path, operation }) => operationPart(anchor(method, path), method, path, operation))}
<h2 id="errors">Errors</h2>
<p>Each has a body as <a href="#schema-Error">Error</a> describes it.</p>
<dl>${errorsOf(operations.map(({ operation }) => operation)).map(([status, text]) => html`<dt>${status}</dt><dd>${prose(text)}</dd>`)}</dl>
<h2>Objects</h2>
${Object.entries(schemas).map(
  ([name, schema]) =>
    html`<section id="schema-${name}"><h3>${name}</h3>${schema.description && html`<p>${prose(schema.description)}</p>`}${membersPart(schema)}</section>`,
)}
</main>
</body>
</html>
`,
  );
}

/** What each status of failure means, in the words of the first operation that has it. */
function errorsOf(operations: readonly Operation[]): [status: string, text: string][] {
  const found = new Map<string, string>();
  for (const { responses = {} } of operations) {
    for (const [status, body] of Object.entries(responses)) {
      if (isError(body) && !found.has(status)) found.set(status, body.description ?? '');
    }
  }
  return [...found].sort(([a], [b]) => (a < b ? -1 : 1));
}

function isError({ content = {} }: Body): boolean {
  return nameOf(content['application/json']?.schema?.$ref ?? '') === 'Error';
}

/** Text in which code stands between backticks. */
function prose(text = ''): Piece {
  return html`${text.split('`').map((part, index) => (index % 2 === 1 ? html`<code>${part}</code>` : part))}`;
}

function operationPart(anchor: string, method: string, path: string, operation: Operation): Piece {
  const { summary, description, security, parameters = [], requestBody, responses = {} } = operation;
  const answers = Object.entries(responses);
  const errors = answers.filter(([, body]) => isError(body)).map(([status]) => status);
  const request = requestBody?.content?.['application/json']?.schema;
  return html`<section id="${anchor}">
<h2><b>${method}</b> <code>${path}</code></h2>
<p><strong>${summary}.</strong> ${prose(description)}${security?.length ? html` Needs a key: <code>Authorization: Bearer ...</code>` : ''}</p>
${parameters.length > 0 && html`<h3>Parameters</h3><dl>${parameters.map(parameterPart)}</dl>`}
${request && html`<h3>Body: ${typePart(request)}</h3>`}
<h3>Answers</h3>
<dl>${answers.filter(([, body]) => !isError(body)).map(([status, body]) => answerPart(status, body))}</dl>
${errors.length > 0 && html`<p><a href="#errors">Errors</a>: ${errors.join(', ')}</p>`}
</section>
`;
}

function parameterPart({ name, in: place, required, schema = {}, description }: Parameter): Piece {
  return html`<dt><code>${name}</code> <i>${place}, ${typeText(schema)}${required ? ', required' : ''}</i></dt><dd>${prose(description ?? schema.description)}</dd>`;
}

function answerPart(status: string, { description, content = {} }: Body): Piece {
  const kinds = Object.entries(content).map(
    ([type, { schema }], index) =>
      html`${index > 0 ? ', ' : ''}<code>${type}</code>${schema?.$ref && html` ${typePart(schema)}`}`,
  );
  return html`<dt>${status}</dt><dd>${prose(description)} ${kinds}</dd>`;
}

function typePart(schema: Schema): Piece {
  if (schema.$ref === undefined) return html`${typeText(schema)}`;
  const name = nameOf(schema.$ref);
  return html`<a href="#schema-${name}">${name}</a>`;
}

/** The members of an object, and of those within it. */
function membersPart(schema: Schema): Piece {
  return html`${objectsIn(schema).map(({ properties = {}, required = [] }) => {
    const members = Object.entries(properties).map(
      ([name, member]) =>
        html`<dt><code>${name}</code> <i>${typePart(member)}${required.includes(name) ? ', required' : ''}</i></dt><dd>${prose(member.description)}${objectsIn(member).length > 0 && html`<details><summary>its members</summary>${membersPart(member)}</details>`}</dd>`,
    );
    return html`<dl>${members}</dl>`;
  })}`;
}
