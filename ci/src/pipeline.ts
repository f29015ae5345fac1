import type { Directory, Platform, Secret, Service } from '@dagger.io/dagger';

/** What the module was constructed with; every stage reads it, none changes it. */
export interface Pipeline {
  readonly source: Directory;
  /** Host of the registry, as in `docker.io` or `registry.example:5000`. */
  readonly registry: string;
  readonly repository: string;
  readonly registryUser?: string | undefined;
  readonly registryToken?: Secret | undefined;
  /** A registry that is a Dagger service, spoken to without TLS, in place of `registry`. */
  readonly registryService?: Service | undefined;
  readonly nodeImage?: string | undefined;
  readonly runtimeImage?: string | undefined;
  readonly toolboxImage: string;
  readonly trivyImage: string;
  readonly regctlImage: string;
  readonly registryImage: string;
  readonly trivyDatabase?: string | undefined;
  readonly extraCa?: Secret | undefined;
  /** `owner/name` on GitHub; by default where package.json says the source is. */
  readonly githubRepository?: string | undefined;
  readonly githubToken?: Secret | undefined;
}

/** The platforms of a release. */
export const PLATFORMS = ['linux/amd64', 'linux/arm64'] as Platform[];
