#!/bin/sh
# Runs a command as root; for another user, as the root of a user namespace of its own, where there is buildah.
# buildah mounts what it builds, and mmdebstrap unpacks files of several owners: neither works without.
set -eu

if [ "$(id -u)" -eq 0 ] || ! command -v buildah >/dev/null 2>&1; then exec "$@"; fi
if ! buildah unshare true >/dev/null 2>&1; then
  echo "This user can not have a user namespace (/etc/subuid, /etc/subgid): if buildah fails, run it as root." >&2
  exec "$@"
fi
# buildah hands no signal on; the kernel tells the command when buildah is gone.
exec buildah unshare setpriv --pdeathsig TERM "$@"
