import { z } from 'zod';

/** OCI distribution spec, "pulling manifests": the name. */
export const REPOSITORY =
  /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/;
export const HOST = /^(?:\[[0-9a-f:]+\]|[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?)(?::[0-9]{1,5})?$/i;
export const PLATFORM = /^linux\/[a-z0-9]+$/;

/** One of a few words. */
export const oneOf = <T extends string>(...values: [T, ...T[]]) =>
  z.enum(values, { error: ({ input }) => `"${input}" is none of ${values.join(', ')}` });

export const Severity = oneOf('CRITICAL', 'HIGH', 'MEDIUM', 'LOW', 'UNKNOWN');
export type Severity = z.infer<typeof Severity>;

/** What a licence asks for, as Trivy sorts them after Google's licenseclassifier. */
export const LicenseCategory = oneOf(
  'forbidden',
  'restricted',
  'reciprocal',
  'notice',
  'permissive',
  'unencumbered',
  'unknown',
);
export type LicenseCategory = z.infer<typeof LicenseCategory>;

export const Scanner = oneOf('trivy', 'scout', 'both');

/** Puts values in the place of `{word}`, in each text of a record. A word without a value stays as it is. */
export function fillAll(
  texts: Readonly<Record<string, string>>,
  words: Readonly<Record<string, string>>,
): Record<string, string> {
  const fill = (text: string) => text.replace(/\{(\w+)\}/g, (whole, word: string) => words[word] ?? whole);
  return Object.fromEntries(Object.entries(texts).map(([name, text]) => [name, fill(text)]));
}
