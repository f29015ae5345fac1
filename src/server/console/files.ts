/** The console's files by name. In a bundle they are in this function's place (bundle.mjs); here they are built. */
export async function consoleFiles(): Promise<Readonly<Record<string, string>>> {
  const { buildConsole } = await import('./build.mjs');
  return (await buildConsole()).files;
}
