import { type ErrorCode, ReleaseError } from '../errors.ts';
import type { CommandResult } from '../machine/command.ts';

/** What went wrong with a registry, as far as regctl's words tell. */
export interface RegistryFault {
  /** `absent` where the registry says that what was asked for is not there. */
  readonly code: ErrorCode | 'absent';
  /**
   * Whether the same request may succeed a little later: `never`; `soon` where a few more tries will tell;
   * `unreachable` where nothing listens, which passes only where somebody listened before; `maybe` where it is
   * worth going on for minutes.
   */
  readonly passes: 'never' | 'soon' | 'unreachable' | 'maybe';
  /** Goes after the repository's name. */
  readonly problem: string;
  readonly remedy: string;
}

const AGAIN = 'run the same command again: it goes on from where it stopped';

/** Where nothing else fits: a server error, a reset, a time-out. */
const PASSING: RegistryFault = {
  code: 'REGISTRY_UNREACHABLE',
  passes: 'maybe',
  problem: 'failed again and again',
  remedy: `Check the network, a proxy, and the registry's own status page, and ${AGAIN}.`,
};

const REFUSED: RegistryFault = {
  code: 'REGISTRY_FAILED',
  passes: 'never',
  problem: 'refused the request',
  remedy:
    'Read the line above: it is the registry that said so. A repeated run goes on from where this one stopped.',
};

/** The first that fits counts. What the registry itself said has its status in it: `[http 403]`. */
const FAULTS: readonly (readonly [RegExp, RegistryFault])[] = [
  [
    /^(?!.*\[http \d).*(?:no space left on device|disk quota exceeded)/is,
    {
      code: 'DISK',
      passes: 'never',
      problem: 'could not be read: the disk of this machine is full',
      remedy: 'Free some room and run it again.',
    },
  ],
  [
    /^(?!.*\[http \d).*(?:: permission denied|read-only file system)/is,
    {
      code: 'DISK',
      passes: 'never',
      problem: 'could not be read: its copy may not be written on this machine',
      remedy: 'Give yourself the right to write there, or name another folder with --home.',
    },
  ],
  [
    /\[http 40[13]\]|unauthorized|forbidden|denied|challenge header/i,
    {
      code: 'REGISTRY_DENIED',
      passes: 'never',
      problem: 'refused the credentials, or gives them no right to do this',
      remedy:
        'Log in with `docker login`, or point DOCKER_CONFIG to a folder with a config.json that holds a valid token. ' +
        'A token that is new or expired is also refused where the clock of this machine is wrong.',
    },
  ],
  // Only where the registry said so: taken for "not there" by mistake, a release would be planned as the first.
  [
    /\[http 404\]/,
    {
      code: 'absent',
      passes: 'soon',
      problem: 'does not hold what was asked for',
      remedy: 'Run the same command again; if it stays so, the registry lost it.',
    },
  ],
  // After an answer was lost, the registry may have a part twice, and the client counts otherwise. The next try begins
  // anew; the layout itself was hashed before.
  [
    /\[http 416\]|BLOB_UPLOAD_(?:INVALID|UNKNOWN)|(?:RANGE|SIZE|DIGEST)_INVALID/,
    { ...REFUSED, passes: 'maybe', problem: 'lost track of an upload' },
  ],
  // What a server with TLS says to plain HTTP; with no body where it answers HEAD.
  [
    /\[http 400\]/,
    {
      ...REFUSED,
      remedy: `${REFUSED.remedy} One on this machine is spoken to without TLS, unless THOTH_REGISTRY_CA names its authority.`,
    },
  ],
  [/\[http 4(?!08|29)\d\d\]/, REFUSED],
  [
    /x509|certificate/i,
    {
      code: 'REGISTRY_UNREACHABLE',
      passes: 'never',
      problem: 'can not be trusted: its certificate does not hold',
      remedy:
        'Where an authority of your own signed it, name its PEM file in THOTH_REGISTRY_CA; where it is expired or not yet ' +
        'valid, renew it, or set the clock of this machine.',
    },
  ],
  [
    /server gave HTTP response/i,
    {
      code: 'REGISTRY_UNREACHABLE',
      passes: 'never',
      problem: 'speaks plain HTTP, and nothing is sent to it without TLS',
      remedy:
        'Give it a certificate; or, where the network between is your own, name the host in THOTH_REGISTRY_PLAIN_HTTP.',
    },
  ],
  [
    /digest mismatch/i,
    {
      code: 'VERIFY_FAILED',
      passes: 'soon',
      problem: 'serves other bytes than were pushed',
      remedy: 'No tag was moved to them by this run. Tell whoever runs the registry, and run it again.',
    },
  ],
  [
    /unsupported media type|invalid character/i,
    {
      code: 'REGISTRY_FAILED',
      passes: 'soon',
      problem: 'does not answer as a registry does',
      remedy: 'Check its name: a web server, or the page of a proxy, may stand there.',
    },
  ],
  [
    /no such host|connection refused/i,
    {
      code: 'REGISTRY_UNREACHABLE',
      passes: 'unreachable',
      problem: 'can not be reached',
      remedy: `Check its name, the network and a proxy, and ${AGAIN}.`,
    },
  ],
];

/** Reads what regctl printed. Its error counts; its warnings only where the error itself says nothing known. */
export function faultOf({ stderr }: Pick<CommandResult, 'stderr'>): RegistryFault {
  const { errors } = sorted(stderr);
  const find = (text: string) => FAULTS.find(([pattern]) => pattern.test(text))?.[1];
  return find(errors.join('\n')) ?? find(stderr) ?? PASSING;
}

/** The coded error for a fault that does not pass. @param name the repository, with its registry */
export function faultError(name: string, fault: RegistryFault, result: CommandResult): ReleaseError {
  const { errors, warnings } = sorted(result.stderr);
  const code = fault.code === 'absent' ? 'REGISTRY_FAILED' : fault.code;
  const details = [...errors, ...warnings].slice(0, 3).map(withoutCredentials);
  return new ReleaseError(code, `${name} ${fault.problem}.`, fault.remedy, details);
}

/** regctl logs warnings with a time, and prints its error without one. */
function sorted(stderr: string): { errors: string[]; warnings: string[] } {
  const lines = stderr.split('\n').filter((line) => line.trim() !== '');
  const isLog = (line: string) => line.startsWith('time=');
  return {
    errors: lines.filter((line) => !isLog(line)),
    // That loopback is spoken to without TLS was asked for.
    warnings: lines.filter((line) => isLog(line) && !line.includes('Changing TLS settings')),
  };
}

/** A registry, or a proxy before it, may print the request that it refuses. */
function withoutCredentials(line: string): string {
  return line.replace(/\b(basic|bearer)\s+[\w+/=.~-]+/gi, '$1 ***');
}
