import { nativeArchitecture } from '../../build/standin.ts';
import { ReleaseError } from '../../errors.ts';
import { findTool, type ToolName } from '../../machine/tools.ts';

/** Where the emulator is mounted: no registration with the kernel, so nothing on the machine changes. */
export const EMULATOR_IN_IMAGE = '/.qemu';

const EMULATORS = new Map<string, ToolName>([
  ['amd64', 'qemu-x86_64-static'],
  ['arm64', 'qemu-aarch64-static'],
]);

/** Whether this machine's own processor does not run the architecture. */
export function isForeign(architecture: string): boolean {
  return architecture !== nativeArchitecture();
}

/** QEMU's user-mode emulator for a foreign architecture; `undefined` for the machine's own or where there is none. */
export async function findEmulator(architecture: string, home: string): Promise<string | undefined> {
  const name = EMULATORS.get(architecture);
  return name === undefined || !isForeign(architecture) ? undefined : findTool(name, home);
}

/** What starts a program inside: the program itself, or the emulator with the program as its argument. */
export function emulated(emulator: string | undefined, command: readonly string[]): string[] {
  return [...(emulator === undefined ? [] : [EMULATOR_IN_IMAGE]), ...command];
}

export function noEmulator(platform: string, details: readonly string[] = []): ReleaseError {
  return new ReleaseError(
    'NO_RUNNER',
    `Nothing here can run ${platform}.`,
    'Install QEMU (apt-get install qemu-user-static), or let Docker set emulation up: ' +
      'docker run --privileged --rm tonistiigi/binfmt --install all',
    details,
  );
}
