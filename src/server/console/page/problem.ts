/** Why something came to nothing, in words for the page. */
export class Problem extends Error {
  override readonly name = 'Problem';
  /** HTTP's; `undefined` where there was no answer. */
  readonly status: number | undefined;

  constructor(message: string, status?: number) {
    super(message);
    this.status = status;
  }
}
