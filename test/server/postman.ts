import { createHash } from 'node:crypto';
import { convertV2, type Options } from 'openapi-to-postmanv2';
import { z } from 'zod';

/** A request or a folder of them, as far as it is changed here; what it has besides stays. */
interface Item {
  readonly name: string;
  readonly request?: Readonly<Record<string, unknown>> | undefined;
  readonly item?: readonly Item[] | undefined;
}

const Item: z.ZodType<Item> = z.lazy(() =>
  z.looseObject({
    name: z.string(),
    request: z.looseObject({}).optional(),
    item: z.array(Item).optional(),
  }),
);

const Collection = z.looseObject({
  info: z.looseObject({ name: z.string() }),
  item: z.array(Item),
});

const OPTIONS: Options = {
  folderStrategy: 'Tags',
  parametersResolution: 'Example',
  // Switched off in a request, but there to be switched on.
  enableOptionalParameters: false,
};

/** What is for people alone. */
const PAGES = 'Pages';

const VARIABLES = [
  { key: 'baseUrl', value: 'http://127.0.0.1:8000' },
  // A client key, such as the one that the first start printed.
  { key: 'bearerToken', value: '' },
];

/**
 * The Postman collection of an OpenAPI description, as text. The same description gives the same text: the
 * library's random ids are replaced, and its made-up answers left out.
 */
export async function postmanCollection(description: object): Promise<string> {
  const { info, item } = Collection.parse(await convert(description));
  const collection = {
    info: { ...info, _postman_id: idOf(info.name) },
    item: item.filter(({ name }) => name !== PAGES).map((each) => settled(each, info.name)),
    variable: VARIABLES,
  };
  return `${JSON.stringify(collection, null, 2)}\n`;
}

function convert(description: object): Promise<unknown> {
  return new Promise((resolve, reject) => {
    convertV2({ type: 'json', data: structuredClone(description) }, OPTIONS, (error, made) => {
      const [output] = made?.output ?? [];
      if (output === undefined)
        reject(error ?? new Error(made?.reason ?? 'Postman has no collection of it.'));
      else resolve(output.data);
    });
  });
}

function settled({ name, request, item }: Item, above: string): object {
  const path = `${above}/${name}`;
  const id = idOf(path);
  if (request === undefined) return { id, name, item: item?.map((each) => settled(each, path)) };
  return { id, name, request };
}

/** A UUID of the form that RFC 9562 leaves to everybody (version 8), of a name. */
function idOf(name: string): string {
  const hex = createHash('sha256').update(name).digest('hex');
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    `8${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ].join('-');
}
