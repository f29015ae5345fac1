import type { PlatformImage } from './layout.ts';

/** A layer that costs much. `madeBy` is the step of the Dockerfile, where it is known. */
export interface LargeLayer {
  readonly digest: string;
  /** Bytes, compressed. */
  readonly size: number;
  readonly madeBy: string | undefined;
}

const SHOWN = 3;

/** The layers of an image that cost most, the largest first. */
export function largestLayers({ layers, config }: PlatformImage): LargeLayer[] {
  const steps = config.history.filter((step) => step.empty_layer !== true);
  // A base image may tell less than all of its history, and then no step can be told from another.
  const known = steps.length === layers.length;
  return layers
    .map(({ digest, size }, index) => ({
      digest,
      size,
      madeBy: known ? steps[index]?.created_by : undefined,
    }))
    .sort((a, b) => b.size - a.size)
    .slice(0, SHOWN);
}
