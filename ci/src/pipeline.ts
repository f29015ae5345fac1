import type { Directory, File, Secret, Service } from '@dagger.io/dagger';

/** What the module was constructed with; every stage reads it, none changes it. */
export interface Pipeline {
  /** The project that is released. */
  readonly source: Directory;
  /** A checkout of this module's repository, which `thoth-release` is made of. */
  readonly engine: Directory;
  /** Host of the registry, as in `docker.io` or `registry.example:5000`; by default the project's. */
  readonly registry?: string | undefined;
  readonly repository?: string | undefined;
  /** Repository of the Helm chart; by default `repository` with `-chart`. */
  readonly chartRepository?: string | undefined;
  readonly registryUser?: string | undefined;
  readonly registryToken?: Secret | undefined;
  /** A registry that is a Dagger service, spoken to without TLS, in place of `registry`. */
  readonly registryService?: Service | undefined;
  /** Base images in place of the Dockerfile's, as `ARG=reference`. */
  readonly baseImages: readonly string[];
  readonly toolboxImage: string;
  readonly trivyImage: string;
  readonly regctlImage: string;
  readonly cosignImage: string;
  readonly registryImage: string;
  readonly trivyDatabase?: string | undefined;
  readonly extraCa?: Secret | undefined;
  readonly npmRegistry?: string | undefined;
  /** `owner/name` on GitHub; by default where the project says its source is. */
  readonly githubRepository?: string | undefined;
  readonly githubToken?: Secret | undefined;
  /** Token that may edit the repository's page on Docker Hub, as the registry's user. */
  readonly hubToken?: Secret | undefined;
  /** Who signs: `auto`, `key`, `keyless` or `none`. */
  readonly sign: string;
  readonly signKey?: Secret | undefined;
  readonly signPassword?: Secret | undefined;
  /** Where a GitHub job gets its OIDC token, and what it shows there. */
  readonly oidcUrl?: string | undefined;
  readonly oidcToken?: Secret | undefined;
  /** The `GITHUB_*` variables that name the workflow's run, as `NAME=value`. */
  readonly workflow: readonly string[];
  readonly verifyKey?: File | undefined;
  readonly verifyIdentity?: string | undefined;
  readonly verifyIssuer?: string | undefined;
}
