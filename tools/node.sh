#!/bin/sh
# Runs a program on a Node.js that the service runs on: this machine's, or the one that tools/install.sh puts beside it.
#
#   tools/node.sh ARGUMENT...    the arguments are node's own
set -eu

tools=$(dirname "$0")
"$tools/install.sh" node
node=node
node -e 'process.exit(require("node:module").isBuiltin("node:sqlite") ? 0 : 1)' ||
  node=${THOTH_HOME:-$tools/../.thoth}/tools/bin/node24
exec "$node" "$@"
