import type { Start } from '../../config/config.ts';
import type { PlatformImage } from '../../image/layout.ts';

/** A started platform. `output` is what it printed so far, for an error's details. */
export interface RunningImage {
  /** Where its API answers, `http://127.0.0.1:PORT`. */
  readonly url: string;
  /** Settles when the program ends, with its exit code; fails with NO_RUNNER where it could not run at all. */
  readonly ended: Promise<number>;
  output(): string;
  /** Runs the image's own HEALTHCHECK inside it and returns its exit code. */
  healthcheck(): Promise<number>;
  stop(): Promise<void>;
}

/** Where a program listens that nobody told where to. */
const USUAL_PORT = 8000;

/** The port that the program in an image listens on, unless it is told another one. */
export function ownPort(image: PlatformImage, { port }: Start): number {
  const [exposed = ''] = Object.keys(image.config.config.ExposedPorts ?? {});
  return port ?? (Number.parseInt(exposed, 10) || USUAL_PORT);
}

/** What starts one platform of a layout, natively or under emulation. Each file beside this one holds one. */
export interface Runner {
  readonly name: string;
  /** Whether several platforms can run at a time; not where all would listen on one port of this machine. */
  together(how: Start): boolean;
  start(layout: string, image: PlatformImage, how: Start, signal?: AbortSignal): Promise<RunningImage>;
}
