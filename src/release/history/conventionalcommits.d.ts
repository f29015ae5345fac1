/** The preset ships no types; these are the parts that are used, as of 9.3.1. */
declare module 'conventional-changelog-conventionalcommits' {
  import type { Commit, Preset } from 'conventional-changelog';

  /** A commit as the preset's parser reads it. */
  export interface ParsedCommit {
    hash: string;
    header: string | null;
    type: string | null;
    scope: string | null;
    subject: string | null;
    body: string | null;
    footer: string | null;
    notes: { title: string; text: string }[];
    references: Commit['references'];
  }

  /** A commit as the preset's template shows it. */
  export interface Entry extends Pick<ParsedCommit, 'notes' | 'scope'> {
    /** Title of its group, or the commit's own type where that is not a listed one. */
    type: string | null;
    shortHash: string;
    /** With links to issues and people. */
    subject: string | null;
  }

  export default function createPreset(config?: { issuePrefixes?: string[] }): {
    parser: NonNullable<Preset['parser']>;
    writer: Omit<NonNullable<Preset['writer']>, 'commitGroupsSort' | 'commitPartial' | 'transform'> & {
      commitPartial: string;
      commitGroupsSort(a: { title: string }, b: { title: string }): number;
      /** `undefined` for what users do not see. */
      transform(commit: ParsedCommit, context: object): Entry | undefined;
    };
  };
}
