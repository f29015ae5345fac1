/** What to do about a build that failed, from what the engine and the build steps said. */
export function buildRemedy(output: string): string {
  if (/no space left on device/i.test(output)) return 'The disk is full: free some room and run it again.';
  if (/SELF_SIGNED_CERT|unable to get local issuer|UNABLE_TO_VERIFY|x509: certificate/i.test(output)) {
    return 'A proxy signs the network with its own certificate authority: name its PEM file in THOTH_EXTRA_CA.';
  }
  return 'Read the lines below: the step that failed is the last one.';
}
