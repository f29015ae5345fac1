import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { chooseBuilder } from '../../../../src/release/build/builder/choose.ts';
import { failure } from '../../machine/failure.ts';
import { withPrograms } from '../../machine/fake-programs.ts';

const BUILDAH = 'echo buildah version 1.2';
/** The answers of a docker: who answers, with which driver, and whether one can be made. */
function docker(options: {
  daemon?: string;
  buildx?: string;
  driver?: string;
  store?: string;
  create?: string;
}) {
  const { daemon = 'echo 28.0', buildx = 'echo github.com/docker/buildx v0.30 abc' } = options;
  const { driver = 'docker-container', store = '[]', create = 'exit 0' } = options;
  return `case "$1 $2 $3" in
    version*) ${daemon} ;;
    "buildx version "*) ${buildx} ;;
    "buildx inspect ") printf 'Name: current\\nDriver: ${driver}\\n' ;;
    "buildx inspect named") printf 'Name: named\\nDriver: ${driver}\\n' ;;
    "buildx inspect"*) echo none such >&2; exit 1 ;;
    "buildx create"*) ${create} ;;
    info*) echo '${store}' ;;
  esac`;
}
const CONTAINERD = '[["driver-type","io.containerd.snapshotter.v1"]]';

type Programs = Readonly<Record<string, string>>;
const choose = (programs: Programs, builder: 'auto' | 'buildx' | 'buildah', buildxBuilder?: string) =>
  withPrograms(programs, (home) =>
    chooseBuilder({ builder, buildxBuilder, home }, async () => ({ exitCode: 0, stdout: '', stderr: '' })),
  );

describe('the build engine', () => {
  const CHOSEN: readonly [string, Programs, Parameters<typeof choose>[1], string | undefined, string][] = [
    ['auto: buildx', { docker: docker({}), buildah: BUILDAH }, 'auto', undefined, 'buildx v0.30 (current)'],
    [
      'auto: buildah where no daemon answers',
      { docker: docker({ daemon: 'exit 1' }), buildah: BUILDAH },
      'auto',
      undefined,
      'buildah version 1.2',
    ],
    [
      'auto: buildah where docker has no buildx',
      { docker: docker({ buildx: 'exit 1' }), buildah: BUILDAH },
      'auto',
      undefined,
      'buildah version 1.2',
    ],
    [
      'auto: buildah where there is no docker',
      { buildah: BUILDAH },
      'auto',
      undefined,
      'buildah version 1.2',
    ],
    [
      'auto: buildah where no builder can be made',
      { docker: docker({ driver: 'docker', create: 'exit 1' }), buildah: BUILDAH },
      'auto',
      undefined,
      'buildah version 1.2',
    ],
    [
      'Docker’s own builder where images are in containerd',
      { docker: docker({ driver: 'docker', store: CONTAINERD }) },
      'auto',
      undefined,
      'buildx v0.30 (current)',
    ],
    [
      'a new builder where Docker’s own exports one platform',
      { docker: docker({ driver: 'docker' }) },
      'auto',
      undefined,
      'buildx v0.30 (thoth-release)',
    ],
    ['the builder that was named', { docker: docker({}) }, 'buildx', 'named', 'buildx v0.30 (named)'],
    [
      'buildah where it was named',
      { docker: docker({}), buildah: BUILDAH },
      'buildah',
      undefined,
      'buildah version 1.2',
    ],
  ];
  for (const [title, programs, builder, buildxBuilder, name] of CHOSEN) {
    test(title, async () => assert.equal((await choose(programs, builder, buildxBuilder)).name, name));
  }

  const REFUSED: readonly [
    string,
    Programs,
    Parameters<typeof choose>[1],
    string | undefined,
    string,
    RegExp,
  ][] = [
    ['nothing at all', {}, 'auto', undefined, 'NO_BUILDER', /Docker.*buildah/],
    ['buildx without docker', { buildah: BUILDAH }, 'buildx', undefined, 'TOOL_MISSING', /Install Docker/],
    [
      'buildx without a daemon',
      { docker: docker({ daemon: 'exit 1' }), buildah: BUILDAH },
      'buildx',
      undefined,
      'TOOL_MISSING',
      /Start Docker/,
    ],
    [
      'buildx without its plugin',
      { docker: docker({ buildx: 'exit 1' }) },
      'buildx',
      undefined,
      'TOOL_MISSING',
      /plugin/,
    ],
    [
      'buildah that is not there',
      { docker: docker({}) },
      'buildah',
      undefined,
      'TOOL_MISSING',
      /apt-get install buildah/,
    ],
    [
      'a named builder that is not there',
      { docker: docker({}), buildah: BUILDAH },
      'auto',
      'gone',
      'NO_BUILDER',
      /THOTH_BUILDX_BUILDER/,
    ],
    [
      'a named builder that exports one platform',
      { docker: docker({ driver: 'docker' }), buildah: BUILDAH },
      'auto',
      'named',
      'NO_BUILDER',
      /docker-container/,
    ],
    [
      'no builder to be made',
      { docker: docker({ driver: 'docker', create: 'exit 1' }) },
      'auto',
      undefined,
      'NO_BUILDER',
      /moby\/buildkit/,
    ],
  ];
  for (const [title, programs, builder, buildxBuilder, code, remedy] of REFUSED) {
    test(`refuses ${title}`, async () => {
      const error = await failure(choose(programs, builder, buildxBuilder));
      assert.equal(error.code, code);
      assert.match(error.remedy, remedy);
    });
  }
});
