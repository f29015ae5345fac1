/** The settings of memory that the image starts Node with, as variables (Dockerfile). */
export const IMAGE_MEMORY = {
  NODE_OPTIONS: '--max-semi-space-size=2 --max-old-space-size=96',
  MALLOC_ARENA_MAX: '2',
};
