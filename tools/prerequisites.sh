#!/bin/sh
# Says in one sentence each what this machine lacks to build Thoth: node (new enough), npm, go, git.
# Exit code: 0 nothing, 69 something.
set -eu

cd "$(dirname "$0")/.."
least=$(sed -n 's/.*"node": ">=\([0-9.]*\)".*/\1/p' package.json)
lacking=0

lack() {
  printf '%s\n' "$1" >&2
  lacking=1
}

if ! command -v node >/dev/null 2>&1; then
  lack "Node.js is missing: install $least or newer (https://nodejs.org)."
elif ! node -e 'const v = (text) => text.split(".").map(Number), [a, b] = v(process.versions.node), [c, d] = v(process.argv[1]);
process.exit(a > c || (a === c && b >= d) ? 0 : 1)' "$least"; then
  lack "Node.js is too old: $least or newer is needed (https://nodejs.org), and this is $(node --version)."
fi
command -v npm >/dev/null 2>&1 || lack 'npm is missing: it comes with Node.js (https://nodejs.org).'
command -v go >/dev/null 2>&1 || lack 'Go is missing, or not on the PATH: https://go.dev/dl.'
command -v git >/dev/null 2>&1 || lack 'git is missing: apt-get install git.'
[ "$lacking" -eq 0 ] || exit 69
