/** What is built: a Dockerfile, for every platform at once. Paths are absolute. */
export interface BuildRequest {
  readonly context: string;
  readonly dockerfile: string;
  /** `linux/amd64`, `linux/arm64`, in the order of the index. */
  readonly platforms: readonly string[];
  readonly args: Readonly<Record<string, string>>;
  /** Build secrets: id to the file that holds it. */
  readonly secrets: Readonly<Record<string, string>>;
  /** SOURCE_DATE_EPOCH, unix seconds: the time on every file and in the config, so that builds repeat. */
  readonly epoch: number;
  /** `host:port/repository` of a plain HTTP registry on loopback, for an engine that exports only there. */
  readonly staging: string;
  /** Drop every cache first: used to show that two clean builds are equal. */
  readonly noCache?: boolean;
}

/** What a builder hands over: an image reference that regctl can read (`ocidir://…` or `host:port/name:tag`). */
export interface BuiltImage {
  readonly reference: string;
}

/** A build engine. Each file beside this one holds one. */
export interface Builder {
  /** Name and version, as it goes into the plan. */
  readonly name: string;
  build(
    request: BuildRequest,
    options: { say(line: string): void; signal?: AbortSignal | undefined },
  ): Promise<BuiltImage>;
}
