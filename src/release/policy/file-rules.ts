import { posix } from 'node:path';
import type { Policy } from '../config/config.ts';
import type { PlatformImage } from '../image/layout.ts';
import { isShell } from './config-rules.ts';
import { type ImageFile, type ImageFiles, resolvePath } from './image-files.ts';
import { nameSome, type Violation } from './violation.ts';

const [SETUID_OR_SETGID, STICKY, WORLD_WRITABLE] = [0o6000, 0o1000, 0o002];
/** Docker's default where an image sets none. */
const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** What is in a platform's image when it runs, judged. */
export function* fileRules(image: PlatformImage, files: ImageFiles, policy: Policy): Generator<Violation> {
  yield* shells(image, files);
  yield* programs(image, files);
  const forbidden = [...files.keys()].filter(matcher(policy.forbidden));
  if (forbidden.length > 0) {
    yield { rule: 'forbidden', message: `it holds what must not be there: ${nameSome(forbidden)}` };
  }
  const named = (wanted: (file: ImageFile) => boolean, except: readonly string[]) => {
    const excepted = matcher(except);
    return [...files]
      .filter(([path, file]) => wanted(file) && !excepted(path))
      .map(([path, { mode }]) => `${path} (${mode.toString(8)})`);
  };
  // On a directory setgid only says which group new files belong to.
  const privileged = named(
    ({ type, mode }) => type === 'file' && (mode & SETUID_OR_SETGID) !== 0,
    policy.setuid,
  );
  if (privileged.length > 0) {
    yield { rule: 'setuid', message: `it holds setuid or setgid files: ${nameSome(privileged)}` };
  }
  const capable = named((file) => file.capable, policy.setuid);
  if (capable.length > 0) {
    yield { rule: 'setuid', message: `it holds files with capabilities: ${nameSome(capable)}` };
  }
  const open = named(isOpen, policy.writable);
  if (open.length > 0) {
    yield { rule: 'world-writable', message: `every user may write: ${nameSome(open)}` };
  }
}

/** Whether a path is one of those; `*` is any part of a name, `**` any folders or none. */
function matcher(patterns: readonly string[]): (path: string) => boolean {
  const parts = patterns.map((pattern) =>
    pattern
      .replace(/[.+^${}()|[\]\\?]/g, '\\$&')
      .replace(/\/\*\*(?=\/)|\*\*|\*/g, (stars) =>
        stars === '*' ? '[^/]*' : stars === '**' ? '.*' : '(?:/[^/]+)*',
      ),
  );
  const whole = new RegExp(`^(?:${parts.join('|')})$`);
  return (path) => parts.length > 0 && whole.test(path);
}

/** Writable by everybody. A folder with the sticky bit is not meant, as /tmp: nobody can touch others' files there. */
function isOpen({ type, mode }: ImageFile): boolean {
  if (type === 'symlink' || type === 'device' || (mode & WORLD_WRITABLE) === 0) return false;
  return type === 'file' || (mode & STICKY) === 0;
}

/** What is in shell form is run by /bin/sh, and fails at run time where there is none. */
function* shells({ config }: PlatformImage, files: ImageFiles): Generator<Violation> {
  if (files.get(resolvePath(files, '/bin/sh'))?.type === 'file') return;
  const { Entrypoint, Cmd, Healthcheck } = config.config;
  const forms = {
    ENTRYPOINT: isShell(Entrypoint?.[0]),
    CMD: isShell(Cmd?.[0]),
    HEALTHCHECK: Healthcheck?.Test?.[0] === 'CMD-SHELL' || isShell(Healthcheck?.Test?.[1]),
  };
  for (const [name, shell] of Object.entries(forms)) {
    if (shell) yield { rule: 'shell', message: `its ${name} is in shell form, and the image has no /bin/sh` };
  }
}

/** The programs that the image says to run must be there, and the user it runs as may run them. */
function* programs(image: PlatformImage, files: ImageFiles): Generator<Violation> {
  const { Entrypoint, Healthcheck } = image.config.config;
  const named = {
    ENTRYPOINT: Entrypoint?.[0],
    HEALTHCHECK: Healthcheck?.Test?.[0] === 'CMD' ? Healthcheck.Test[1] : undefined,
  };
  for (const [name, program] of Object.entries(named)) {
    if (program === undefined || isShell(program)) continue; // other rules speak of them
    const rule = 'program';
    const found = find(program, image, files);
    if (found === undefined) {
      yield { rule, message: `its ${name} runs ${program}, which is not in the image` };
    } else if (!mayRun(found, image.config.config.User ?? '')) {
      const mode = found.mode.toString(8);
      yield { rule, message: `its ${name} runs ${program}, which its user may not execute (${mode})` };
    }
  }
}

/** A name without a slash is looked for on the PATH (execvp(3)). */
function find(program: string, image: PlatformImage, files: ImageFiles): ImageFile | undefined {
  const { Env, WorkingDir = '/' } = image.config.config;
  const path = Env?.find((variable) => variable.startsWith('PATH='))?.slice('PATH='.length) ?? DEFAULT_PATH;
  const folders = program.includes('/') ? [''] : path.split(':');
  return folders
    .map((folder) => files.get(resolvePath(files, posix.resolve('/', WorkingDir, folder, program))))
    .find((file) => file?.type === 'file');
}

/** As the kernel decides: the owner's bit, else the group's, else everybody's (path_resolution(7)). */
function mayRun({ mode, uid, gid }: ImageFile, user: string): boolean {
  const [id, group] = user.split(':').map(Number);
  if (id === 0) return (mode & 0o111) !== 0;
  const bit = id === uid ? 0o100 : group === gid ? 0o010 : 0o001;
  return (mode & bit) !== 0;
}
