/**
 * Every third-party image the module runs, pinned by the digest of its index. Each is the default of a
 * constructor argument, so a mirror can take its place (docs/DAGGER.md). The service image's own two bases
 * are pinned in the Dockerfile, and nowhere else.
 *
 * Each value is one string literal on one line: the SDK reads defaults from the source text.
 */

/** Node, npm and git: where the release engine, the tests and the linters run. */
export const TOOLBOX_IMAGE =
  'docker.io/library/node:24-bookworm@sha256:64af3819f9275802414d7cdc38c27e9d82bd564dec4d4da87d008255d36c63b4';

/** The scanner; its program is copied from /usr/local/bin/trivy. */
export const TRIVY_IMAGE =
  'ghcr.io/aquasecurity/trivy:0.74.0@sha256:62b1e65e8869bc4b4c6aa4fa2b21595256c7c2f6018a9d9ad61caf87187c1969';

/** The registry client; its program is copied from /regctl. */
export const REGCTL_IMAGE =
  'ghcr.io/regclient/regctl:v0.11.6@sha256:db2e5f3a5de80b24d53fea5af9edf7021a53f2689f1e166ef2f0e200dad4fb3a';

/** The signer; its program is copied from /ko-app/cosign. */
export const COSIGN_IMAGE =
  'ghcr.io/sigstore/cosign/cosign:v3.1.3@sha256:9e5c2f2edc34351160407ca3416c61855bdf9403c3c5936e0f0be7fc261611b8';

/** The registry of a rehearsal (CNCF Distribution 3.1.1). */
export const REGISTRY_IMAGE =
  'docker.io/library/registry:3@sha256:1be55279f18a2fe1a74edf2664cac61c1bea305b7b4642dab412e7affdcb3e33';
