#!/bin/sh
# The plain recipe for a multi-arch image, as it stands in many a guide: build each platform, a foreign one under
# emulation, and push once for each tag. No scan, no start, no signature, nothing read back.
#
#   recipe.sh STORAGE HOST/REPOSITORY PLATFORM,PLATFORM TAG,TAG FLAG...     FLAGs are for `buildah bud`
#
# Where the kernel knows no emulator it is told of one in a mount of binfmt_misc that is gone with this process.
set -eu

if [ "${RECIPE_MOUNTED:-}" != yes ]; then
  RECIPE_MOUNTED=yes exec unshare --mount "$0" "$@"
fi
storage=$1 repository=$2 platforms=$3 tags=$4
shift 4

binfmt=/proc/sys/fs/binfmt_misc
ours=
forget() { [ -z "$ours" ] || echo -1 >"$ours"; }
trap forget EXIT
[ -e "$binfmt/register" ] || mount -t binfmt_misc none "$binfmt"
if [ ! -e "$binfmt/qemu-aarch64" ]; then
  cat /usr/lib/binfmt.d/qemu-aarch64.conf >"$binfmt/register"
  ours=$binfmt/qemu-aarch64
fi

recipe() { buildah --root "$storage/root" --runroot "$storage/run" "$@"; }

recipe manifest rm image >/dev/null 2>&1 || :
recipe manifest create image >/dev/null
for platform in $(echo "$platforms" | tr , ' '); do
  recipe bud --isolation chroot --layers --format docker --tls-verify=false --platform "$platform" \
    --manifest image "$@"
done
for tag in $(echo "$tags" | tr , ' '); do
  recipe manifest push --all --tls-verify=false image "docker://$repository:$tag"
done
