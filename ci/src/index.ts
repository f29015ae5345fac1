/**
 * Builds, checks and releases the image of a project that has a thoth-release.json: by default Thoth's own.
 *
 * A facade: each function hands over to the file of its stage. What may be released, and under which tags,
 * is decided by thoth-release (src/release), which runs here as it does on a developer's machine.
 */
import {
  argument,
  type Container,
  check,
  type Directory,
  dag,
  type File,
  func,
  object,
  type Platform,
  type Secret,
  type Service,
} from '@dagger.io/dagger';
import * as gate from './gate.ts';
import { changelogOf, notesOf, tagsOf } from './history.ts';
import { buildImage, buildLayout, serveImage } from './image.ts';
import { COSIGN_IMAGE, REGCTL_IMAGE, REGISTRY_IMAGE, TOOLBOX_IMAGE, TRIVY_IMAGE } from './images.ts';
import type { Pipeline } from './pipeline.ts';
import * as project from './project.ts';
import * as release from './publish.ts';
import { rescan } from './rescan.ts';
import * as tagMove from './tag-move.ts';

/** Builds, checks and releases the image of a project that has a thoth-release.json. */
@object()
export class Thoth implements Pipeline {
  source: Directory;
  engine: Directory;
  registry?: string | undefined;
  repository?: string | undefined;
  chartRepository?: string | undefined;
  registryUser?: string | undefined;
  registryToken?: Secret | undefined;
  registryService?: Service | undefined;
  baseImages: string[];
  toolboxImage: string;
  trivyImage: string;
  regctlImage: string;
  cosignImage: string;
  registryImage: string;
  trivyDatabase?: string | undefined;
  extraCa?: Secret | undefined;
  npmRegistry?: string | undefined;
  githubRepository?: string | undefined;
  githubToken?: Secret | undefined;
  hubToken?: Secret | undefined;
  sign: string;
  signKey?: Secret | undefined;
  signPassword?: Secret | undefined;
  oidcUrl?: string | undefined;
  oidcToken?: Secret | undefined;
  workflow: string[];
  verifyKey?: File | undefined;
  verifyIdentity?: string | undefined;
  verifyIssuer?: string | undefined;

  /**
   * @param source the project, a git repository; by default the one this module is in
   * @param engine checkout of this module's repository, which the release engine is made of
   * @param registry host of the registry to release to; by default what thoth-release.json says
   * @param repository repository in that registry; by default what thoth-release.json says
   * @param chartRepository repository of the Helm chart in that registry; by default the other one with -chart
   * @param registryUser who logs in to the registry
   * @param registryToken that user's access token
   * @param registryService a registry that is a Dagger service, used in place of `registry`, without TLS
   * @param baseImages base images in place of the Dockerfile's, by the ARG that names each: NODE_IMAGE=node:24
   * @param toolboxImage image with Node, npm and git, in which the release engine runs
   * @param trivyImage image with the scanner at /usr/local/bin/trivy
   * @param regctlImage image with the registry client at /regctl
   * @param cosignImage image with the signer at /ko-app/cosign
   * @param registryImage registry of a rehearsal
   * @param trivyDatabase OCI artifact that Trivy's vulnerability database is taken from, in place of its own
   * @param extraCa PEM file of a certificate authority to trust, such as a company proxy's
   * @param npmRegistry mirror of the npm registry, for the toolbox and the image's build stage
   * @param githubRepository owner/name on GitHub; by default where the project says its source is
   * @param githubToken token that may write there; with it, a publish makes the release on GitHub
   * @param hubToken token that may edit the page on Docker Hub, as registryUser; with it, a publish updates that page
   * @param sign who signs: auto (the key, or the OIDC token of a GitHub job), key, keyless or none
   * @param signKey private key, as cosign generate-key-pair makes one
   * @param signPassword its password
   * @param oidcUrl where a GitHub job gets its OIDC token: ACTIONS_ID_TOKEN_REQUEST_URL
   * @param oidcToken what it shows there: ACTIONS_ID_TOKEN_REQUEST_TOKEN
   * @param workflow variables that name the workflow's run, such as GITHUB_RUN_ID=1
   * @param verifyKey public key whose signatures count
   * @param verifyIdentity who must have signed; by default the workflow docker-publish of the project's repository
   * @param verifyIssuer who vouched for that identity; by default GitHub
   */
  constructor(
    @argument({
      defaultPath: '/',
      ignore: ['**/node_modules', '.thoth', '.env'],
    })
    source: Directory,
    @argument({
      defaultPath: '/',
      ignore: ['*', '!package.json', '!package-lock.json', '!src/release'],
    })
    engine: Directory,
    registry?: string,
    repository?: string,
    chartRepository?: string,
    registryUser?: string,
    registryToken?: Secret,
    registryService?: Service,
    baseImages: string[] = [],
    toolboxImage = TOOLBOX_IMAGE,
    trivyImage = TRIVY_IMAGE,
    regctlImage = REGCTL_IMAGE,
    cosignImage = COSIGN_IMAGE,
    registryImage = REGISTRY_IMAGE,
    trivyDatabase?: string,
    extraCa?: Secret,
    npmRegistry?: string,
    githubRepository?: string,
    githubToken?: Secret,
    hubToken?: Secret,
    sign = 'auto',
    signKey?: Secret,
    signPassword?: Secret,
    oidcUrl?: string,
    oidcToken?: Secret,
    workflow: string[] = [],
    verifyKey?: File,
    verifyIdentity?: string,
    verifyIssuer?: string,
  ) {
    this.source = source;
    this.engine = engine;
    this.registry = registry;
    this.repository = repository;
    this.chartRepository = chartRepository;
    this.registryUser = registryUser;
    this.registryToken = registryToken;
    this.registryService = registryService;
    this.baseImages = baseImages;
    this.toolboxImage = toolboxImage;
    this.trivyImage = trivyImage;
    this.regctlImage = regctlImage;
    this.cosignImage = cosignImage;
    this.registryImage = registryImage;
    this.trivyDatabase = trivyDatabase;
    this.extraCa = extraCa;
    this.npmRegistry = npmRegistry;
    this.githubRepository = githubRepository;
    this.githubToken = githubToken;
    this.hubToken = hubToken;
    this.sign = sign;
    this.signKey = signKey;
    this.signPassword = signPassword;
    this.oidcUrl = oidcUrl;
    this.oidcToken = oidcToken;
    this.workflow = workflow;
    this.verifyKey = verifyKey;
    this.verifyIdentity = verifyIdentity;
    this.verifyIssuer = verifyIssuer;
  }

  /**
   * Builds the image of one platform.
   * @param platform by default the engine's own
   * @param tag release it is labelled with; 0.0.0-dev without one
   */
  @func()
  async build(platform?: Platform, tag?: string): Promise<Container> {
    return buildImage(this, platform ?? (await dag.defaultPlatform()), tag);
  }

  /**
   * Builds every platform into one OCI layout, the thing that is scanned, started and pushed.
   * @param tag release it is labelled with; 0.0.0-dev without one
   */
  @func()
  async layout(tag?: string): Promise<Directory> {
    return buildLayout(this, tag);
  }

  /**
   * Starts the image as a service on its port.
   * @param platform by default the engine's own
   */
  @func({ cache: 'never' })
  async serve(platform?: Platform): Promise<Service> {
    return serveImage(this, await this.build(platform));
  }

  /** Runs this repository's tests that need nothing but Node and git; the others run with `make test`. */
  @func()
  @check()
  async test(): Promise<string> {
    return project.test(this);
  }

  /** Checks this repository's types, style and formatting. */
  @func()
  @check()
  async lint(): Promise<string> {
    return project.lint(this);
  }

  /**
   * Scans every platform for vulnerabilities, secrets and misconfiguration; fails where the gate closes, and
   * where the vulnerability data is missing or too old.
   * @param severity severities that close the gate where there is a fix; by default the project's
   * @param format table, json or sarif
   * @param layout layout to scan, in place of one built now
   */
  @func({ cache: 'never' })
  @check()
  async scan(severity?: string, format = 'table', layout?: Directory): Promise<string> {
    return gate.scan(this, severity, format, layout);
  }

  /**
   * Judges the image by the image policy: user, health check, labels, size, files.
   * @param layout layout to judge, in place of one built now
   */
  @func()
  @check()
  async policy(layout?: Directory): Promise<string> {
    return gate.policy(this, layout);
  }

  /**
   * Makes the SBOM of one platform.
   * @param platform by default the engine's own
   * @param format cyclonedx or spdx
   * @param layout layout to read, in place of one built now
   */
  @func()
  async sbom(platform?: Platform, format = 'cyclonedx', layout?: Directory): Promise<File> {
    return gate.sbom(this, platform ?? (await dag.defaultPlatform()), format, layout);
  }

  /**
   * Lists the tags a release gets, in push order.
   * @param tag the release, such as v1.2.3
   * @param existing versions released before; by default the repository's git tags
   * @param channel tag that a pre-release also gets, such as next
   */
  @func()
  async tags(tag: string, existing: string[] = [], channel?: string): Promise<string[]> {
    return tagsOf(this, tag, existing, channel);
  }

  /**
   * Writes the release notes.
   * @param tag the release, such as v1.2.3
   * @param layout the release's layout, for digests, sizes and what changed since the release before
   */
  @func({ cache: 'never' })
  async notes(tag: string, layout?: Directory): Promise<File> {
    return notesOf(this, tag, layout);
  }

  /**
   * Writes CHANGELOG.md with the release's section in it.
   * @param tag the release, such as v1.2.3
   */
  @func()
  async changelog(tag: string): Promise<File> {
    return changelogOf(this, tag);
  }

  /**
   * Builds, starts, judges and scans every platform, and plans the release against the registry; pushes nothing.
   * @param tag the release, such as v1.2.3
   */
  @func({ cache: 'never' })
  async plan(tag: string): Promise<File> {
    return release.plan(this, tag);
  }

  /**
   * Publishes a release: builds, starts, judges and scans every platform, pushes by digest, with the Helm chart, signs,
   * moves the tags, and reads everything back; then the release on GitHub and the page on Docker Hub, where their tokens are given.
   * Without credentials, or without somebody who signs, it fails before it builds.
   * @param tag the release, such as v1.2.3
   * @param dryRun do all but the push
   */
  @func({ cache: 'never' })
  async publish(tag: string, dryRun = false): Promise<string> {
    return release.publish(this, tag, dryRun);
  }

  /**
   * Does all that publish does, into a registry of its own that is gone afterwards, and returns the release's
   * folder: plan, journal, layout, SBOMs, scan reports, notes.
   * @param tag the release, such as v1.2.3
   */
  @func({ cache: 'never' })
  async rehearse(tag: string): Promise<Directory> {
    return release.rehearse(this, tag);
  }

  /**
   * Reads a release back from the registry: digests, signatures, attestations, platforms, labels, tags.
   * @param tag the release, such as v1.2.3
   */
  @func({ cache: 'never' })
  async verify(tag: string): Promise<string> {
    return tagMove.verify(this, tag);
  }

  /**
   * Moves the range tags and latest back to a released version; builds nothing.
   * @param to the release to go back to, such as v1.2.3
   * @param dryRun only say which tags would move
   */
  @func({ cache: 'never' })
  async rollback(to: string, dryRun = false): Promise<string> {
    return tagMove.rollback(this, to, dryRun);
  }

  /**
   * Points a channel at a released version; builds nothing.
   * @param to the release, such as v1.2.3
   * @param channel the channel's tag
   * @param dryRun only say which tags would move
   */
  @func({ cache: 'never' })
  async promote(to: string, channel = 'next', dryRun = false): Promise<string> {
    return tagMove.promote(this, to, channel, dryRun);
  }

  /**
   * Scans what was released with the vulnerabilities known today.
   * @param issue keep one issue on GitHub about what is found: open, update or close it
   */
  @func({ cache: 'never' })
  async rescan(issue = false): Promise<string> {
    return rescan(this, issue);
  }
}
