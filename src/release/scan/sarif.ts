import { z } from 'zod';

/** A run of SARIF 2.1.0 as far as it is changed here. */
const Run = z.looseObject({ automationDetails: z.looseObject({ id: z.string().optional() }).optional() });
const Log = z.looseObject({ version: z.literal('2.1.0'), runs: z.array(Run) });

const SCHEMA = 'https://json.schemastore.org/sarif-2.1.0.json';

/**
 * Puts SARIF logs together in one, which tells apart what each is about: GitHub takes two runs of a tool only where
 * they have identifiers of their own (SARIF 2.1.0, 3.17.2).
 *
 * @param logs texts by what they are about, such as `linux/amd64`
 * @throws ZodError where one is no SARIF log
 */
export function mergeSarif(logs: readonly (readonly [string, string])[]): string {
  const runs = logs.flatMap(([about, text]) =>
    Log.parse(JSON.parse(text)).runs.map((run) => ({ ...run, automationDetails: { id: `${about}/` } })),
  );
  return `${JSON.stringify({ $schema: SCHEMA, version: '2.1.0', runs }, null, 2)}\n`;
}
