import { invalid } from './request-fault.ts';

/** A picture, file or recording of a request: within it, or a link that the provider may follow. */
export type Media =
  | { readonly kind: 'inline'; readonly type: string; readonly data: string }
  | { readonly kind: 'link'; readonly url: string };

const BASE64_MARK = ';base64';
const LONGEST_TYPE = 200;

/**
 * Reads the URL of a medium. Nothing is ever fetched: a link is the provider's to follow, from its own network.
 *
 * @param param where it stands in the request
 * @throws ApiError 400
 */
export function readMedia(url: string, param: string): Media {
  if (url.startsWith('data:')) return readDataUrl(url, param);
  if (/^https:\/\/[^\s/]/i.test(url)) return { kind: 'link', url };
  throw invalid(param, 'must be an https: or a data: URL');
}

/** Source: RFC 2397, of which providers take base64 alone. */
function readDataUrl(url: string, param: string): Media {
  const comma = url.slice(0, LONGEST_TYPE).indexOf(',');
  const head = url.slice('data:'.length, comma);
  if (comma === -1 || !head.endsWith(BASE64_MARK)) {
    throw invalid(param, 'must be like data:image/png;base64,... where it is a data: URL');
  }
  const [type = ''] = head.split(';');
  return { kind: 'inline', type: type.toLowerCase(), data: url.slice(comma + 1) };
}
