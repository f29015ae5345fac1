/** Whether a host is on this machine: the one case in which plain HTTP is safe without being asked for. */
export function isLoopback(host: string): boolean {
  return /^(?:localhost|127(?:\.\d+){3}|\[::1\])(?::\d+)?$/.test(host);
}
