/** Decimal megabytes with one digit, as Docker Hub shows sizes. */
export function megabytes(bytes: number): string {
  return (bytes / 1_000_000).toFixed(1);
}
