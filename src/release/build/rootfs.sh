#!/bin/sh
# Makes a root filesystem from Debian packages, as one tar file: a layer of the stand-in base image.
#
#   rootfs.sh ARCH OUT.tar PACKAGE...
#
# ARCH is Debian's (amd64, arm64). Nothing of the foreign architecture is run: packages are only unpacked.
set -eu

arch=$1 out=$2
shift 2
packages=$(echo "$*" | tr ' ' ,)

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
root=$work/root debs=$work/debs
mkdir "$debs"

# mmdebstrap calls the hook through a shell of its own; $1 there is the root it works on.
# shellcheck disable=SC2016
mmdebstrap --quiet --variant=extract --format=directory --architectures="$arch" --include="$packages" \
	--extract-hook='cp "$1"/var/cache/apt/archives/*.deb '"'$debs'" \
	"${THOTH_DEBIAN_SUITE:-bookworm}" "$root" >&2

# What each package is, where scanners look for it in images without dpkg (as distroless does).
mkdir -p "$root/var/lib/dpkg/status.d"
for deb in "$debs"/*.deb; do
	name=$(dpkg-deb -f "$deb" Package)
	dpkg-deb -f "$deb" >"$root/var/lib/dpkg/status.d/$name"
done

# No package script ran, so the bundle that ca-certificates' own would write is written here.
cat "$root"/usr/share/ca-certificates/mozilla/*.crt >"$root/etc/ssl/certs/ca-certificates.crt"
printf 'root:x:0:0:root:/root:/sbin/nologin\nnonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin\n' >"$root/etc/passwd"
printf 'root:x:0:\nnonroot:x:65532:\n' >"$root/etc/group"

(
	cd "$root"
	rm -rf dev etc/apt etc/fstab etc/resolv.conf etc/hostname var/lib/apt var/cache var/log \
		usr/share/doc usr/share/man usr/share/locale usr/share/info usr/share/lintian usr/share/bug \
		usr/share/debconf usr/share/perl5 usr/share/pixmaps usr/share/menu usr/share/bash-completion \
		var/lib/dpkg/info var/lib/dpkg/arch var/lib/dpkg/alternatives var/lib/dpkg/status
	find usr/bin usr/sbin -name '*debconf*' -exec rm -f {} +
	# A final image has no use for set-user-ID programs, nor for openssl's command.
	find . -xdev -type f -perm /6000 -exec chmod ug-s {} +
	rm -f usr/bin/openssl usr/bin/c_rehash
	mkdir -p dev proc sys tmp root home/nonroot
	chmod 1777 tmp
	chmod 700 root
	chown 65532:65532 home/nonroot
)

tar --sort=name --mtime=@0 --numeric-owner -C "$root" -cf "$out.part" .
mv "$out.part" "$out"
