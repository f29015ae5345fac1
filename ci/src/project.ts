import { lintProject, runTests } from './command.ts';
import type { Pipeline } from './pipeline.ts';
import { attempt, workshop } from './toolbox.ts';

/** Runs the tests that need nothing but Node and git. @returns their report; @throws Error with its end */
export async function test(pipeline: Pipeline): Promise<string> {
  await assertOurs(pipeline);
  const command = runTests(await pipeline.source.glob('test/**/*.test.ts'));
  return attempt('test', () => workshop(pipeline).withExec(command).stdout(), {});
}

/** Runs the static checks. @returns what they printed; @throws Error with their findings */
export async function lint(pipeline: Pipeline): Promise<string> {
  await assertOurs(pipeline);
  return attempt('lint', () => workshop(pipeline).withExec(lintProject()).stdout(), {});
}

/** @throws Error for a project that has no npm packages: how it is tested is for itself to say */
async function assertOurs({ source }: Pipeline): Promise<void> {
  for (const file of ['package.json', 'package-lock.json']) {
    if (!(await source.exists(file))) throw new Error(NOT_OURS);
  }
}

// A check that did not look must not pass.
const NOT_OURS = [
  "test and lint run this module's own checks, `npm run check` and test/**/*.test.ts, and the source has no npm packages.",
  'Test it with tools of its own; what is checked of an image: scan and policy.',
].join('\n');
