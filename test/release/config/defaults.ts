import { Config } from '../../../src/release/config/config.ts';

/** What holds for a project that says nothing. */
export const { build: BUILD, start: START, policy: POLICY } = Config.parse({});
