#!/bin/sh
# Follows the README as somebody who arrives: a new Debian with nothing of this checkout, and each command timed.
#
#   bench/newcomer.sh [COMMAND...]        default: "make rehearse" "make rehearse"
#
# The new machine is a Debian 12 from packages, with git, make and what this machine has of Node.js, Go and
# certificate authorities; the project is a clone of this one's last commit. Needs root and mmdebstrap. What each command
# printed stays in .thoth/newcomer/; where the default ones all pass, docs/bench/NEWCOMER.md is written. Exit code: that of
# the first command that failed.
set -eu

cd "$(dirname "$0")/.."
project=$PWD
logs=$project/.thoth/newcomer
page=
[ $# -gt 0 ] || { page=docs/bench/NEWCOMER.md && set -- 'make rehearse' 'make rehearse'; }

[ "$(id -u)" -eq 0 ] || { echo 'Root is needed to make a new system.' >&2 && exit 77; }
for program in mmdebstrap node go; do
  command -v "$program" >/dev/null || { echo "$program is missing." >&2 && exit 69; }
done

root=$(mktemp -d /var/tmp/thoth-newcomer-XXXXXX)
child=

clean_up() {
  trap '' INT TERM HUP
  [ -z "$child" ] || kill -TERM "-$child" 2>/dev/null || :
  rm -rf --one-file-system "$root"
}
trap clean_up EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

echo 'A new Debian' >&2
mmdebstrap --quiet --variant=apt --include=ca-certificates,git,make,mount bookworm "$root"
chmod 755 "$root" # as "/" is
cp /etc/resolv.conf /etc/hosts "$root/etc/"

# Node.js and Go, wherever they are here.
node_home=$(dirname "$(dirname "$(readlink -f "$(command -v node)")")")
mkdir -p "$root/opt/node/bin" "$root/opt/node/lib"
cp "$node_home/bin/node" "$root/opt/node/bin/"
cp -r "$node_home/lib/node_modules" "$root/opt/node/lib/"
ln -s ../lib/node_modules/npm/bin/npm-cli.js "$root/opt/node/bin/npm"
ln -s ../lib/node_modules/npm/bin/npx-cli.js "$root/opt/node/bin/npx"
cp -r "$(go env GOROOT)" "$root/opt/go"

# How this machine reaches the registries is its own affair: settings of proxies and authorities come along.
cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/ca-certificates.crt"
for file in /etc/pip.conf /etc/apt/apt.conf.d/*proxy* "$HOME/.npmrc" "$HOME/.config/go/env"; do
  [ ! -f "$file" ] || { mkdir -p "$root$(dirname "$file")" && cp "$file" "$root$file"; }
done
kept='HOME TERM NODE_EXTRA_CA_CERTS SSL_CERT_FILE PIP_CERT REQUESTS_CA_BUNDLE CURL_CA_BUNDLE GIT_SSL_CAINFO
  http_proxy https_proxy no_proxy HTTP_PROXY HTTPS_PROXY NO_PROXY'
settings=
for name in $kept; do
  eval "value=\${$name-}"
  [ -z "$value" ] || settings="$settings $name=$value"
done

# Runs the command $2 in the system of the folder $1, whose mounts end with it. That folder is "/" indeed, and no chroot:
# `docker exec` would look for the container's folders elsewhere.
# shellcheck disable=SC2016 # for the shell that it is given to
enter='
mount --bind "$1" "$1"
for place in proc sys dev; do mount --rbind "/$place" "$1/$place"; done
mount -t tmpfs tmpfs "$1/run"
cd "$1"
mkdir old
pivot_root . old
exec chroot . sh -euc "umount -l /old; rmdir /old; cd /root/thoth; exec $2"
'

git clone --quiet "$project" "$root/root/thoth"
mkdir -p "$logs"
table=$logs/table.md
processor=$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)
# shellcheck disable=SC2016 # Markdown
{
  printf '# A rehearsal on a new machine\n\nWritten by `bench/newcomer.sh`: a Debian 12 with nothing but '
  printf 'git, make, Node.js %s and %s,\non %s x %s, %s. The first time it also compiles the ' \
    "$(node --version)" "$(go version | cut -d ' ' -f 3)" "$(nproc)" "$processor" "$(date +%F)"
  printf 'tools of a release.\n\n| Step | Time | Exit code |\n|---|---|---|\n'
} | tee "$table"
step=0
for command in "$@"; do
  step=$((step + 1))
  begun=$(date +%s)
  code=0
  # shellcheck disable=SC2086 # settings are words
  env -i $settings CI=true PATH=/opt/node/bin:/opt/go/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    setsid unshare --mount --propagation private sh -euc "$enter" sh "$root" "$command" </dev/null >"$logs/$step.log" 2>&1 &
  child=$!
  wait "$child" || code=$?
  child=
  # shellcheck disable=SC2016 # a table in Markdown
  printf '| `%s` | %s s | %s |\n' "$command" "$(($(date +%s) - begun))" "$code" | tee -a "$table"
  [ "$code" -eq 0 ] || { tail -n 30 "$logs/$step.log" >&2 && exit "$code"; }
done
[ -z "$page" ] || cp "$table" "$page"
