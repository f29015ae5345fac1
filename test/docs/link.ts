import { posix } from 'node:path';
import type { Document } from './document.ts';

/** The project on GitHub: what is said of its files there has to be true here. */
const ON_GITHUB =
  /^https:\/\/(?:github\.com\/marcopancotti\/thoth\/(?:blob|tree|raw)|raw\.githubusercontent\.com\/marcopancotti\/thoth)\/main\//;

/**
 * The links of a document that lead nowhere, each with what is wrong; empty where all is well.
 *
 * @param path where the document is, from the root of the repository
 * @param files all that is in the repository
 * @param documents its Markdown
 */
export function linkFaults(
  path: string,
  files: readonly string[],
  documents: ReadonlyMap<string, Document>,
): string[] {
  const paths = new Set(files.flatMap((file) => [file, ...foldersOf(file)]));
  return (documents.get(path)?.links ?? []).flatMap((link) => {
    const [address = '', anchor] = link.split('#', 2);
    const target = targetOf(path, address);
    if (target === undefined) return [];
    if (!paths.has(target)) return [`${path}: ${link}: there is no ${target}`];
    if (anchor === undefined || documents.get(target)?.anchors.has(decodeURIComponent(anchor))) return [];
    return [`${path}: ${link}: ${target} has no such heading`];
  });
}

/** @returns `undefined` where it leads out of the project */
function targetOf(path: string, address: string): string | undefined {
  if (ON_GITHUB.test(address)) return trimmed(address.replace(ON_GITHUB, ''));
  if (/^[a-z][a-z+.-]*:/i.test(address)) return undefined;
  if (address === '') return path;
  return trimmed(posix.join(posix.dirname(path), decodeURIComponent(address)));
}

function trimmed(path: string): string {
  return path.replace(/\/$/, '');
}

function foldersOf(file: string): string[] {
  const folder = posix.dirname(file);
  return folder === '.' ? [folder] : [folder, ...foldersOf(folder)];
}
