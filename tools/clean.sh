#!/bin/sh
# Removes what builds and releases made: bundles, images, layouts, registries. The tools stay, since Trivy
# alone takes minutes to compile.
set -eu

cd "$(dirname "$0")/.."
home=${THOTH_HOME:-.thoth}
rm -rf dist coverage
[ -d "$home" ] || exit 0
# A build that was cut off may have left a container mounted: its files are not removed from below it.
if [ -d "$home/buildah/root" ] && command -v buildah >/dev/null 2>&1; then
  buildah --root "$home/buildah/root" --runroot "$home/buildah/run" rm --all >/dev/null
fi
find "$home" -mindepth 1 -maxdepth 1 ! -name tools -exec rm -rf {} +
