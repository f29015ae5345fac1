import { lintProject, runTests } from './command.ts';
import type { Pipeline } from './pipeline.ts';
import { attempt, workshop } from './toolbox.ts';

/** Runs the tests that need nothing but Node and git. @returns their report; @throws Error with its end */
export async function test(pipeline: Pipeline): Promise<string> {
  const command = runTests(await pipeline.source.glob('test/**/*.test.ts'));
  return attempt('test', () => workshop(pipeline).withExec(command).stdout(), {});
}

/** Runs the static checks. @returns what they printed; @throws Error with their findings */
export async function lint(pipeline: Pipeline): Promise<string> {
  return attempt('lint', () => workshop(pipeline).withExec(lintProject()).stdout(), {});
}
