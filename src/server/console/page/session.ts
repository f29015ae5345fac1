const NAME = 'thoth.key';

/** The client key that is signed in with. The browser keeps it with this tab, and forgets it with it. */
export const session = {
  get key(): string | undefined {
    return sessionStorage.getItem(NAME) ?? undefined;
  },
  begin(key: string): void {
    sessionStorage.setItem(NAME, key);
  },
  end(): void {
    sessionStorage.removeItem(NAME);
  },
};
