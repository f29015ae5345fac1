#!/bin/sh
# Says which version runs, where, and how it is.
#
#   status.sh [--help]
#
# Exit code: 0 it answers; 3 it does not; 69 Docker is missing; 77 not allowed; 78 not installed.
dir=$(cd "$(dirname "$0")/.." && pwd -P) && kit=status && . "$dir/scripts/lib/kit.sh"

no_options "$@"
installed
row() { printf '%-10s%s\n' "$1" "$2"; }
image=$(env_get THOTH_IMAGE)
running=$(container)
code=$down why=''
row version "$(name_of "$image")"
row image "$image"
row address "$(address)"
if [ -n "$running" ]; then row container "$(docker ps --all --filter "id=$running" --format '{{.Status}}')"; else row container none; fi
if [ -n "$running" ] && probe "$running"; then
  row health ok
  if [ "$ready" = 200 ]; then row ready yes; else row ready "no: $lacking"; fi
  code=0
else
  row health "no answer${why:+: $why}"
fi
data=$(env_get THOTH_DATA)
row data "${data:-volume $(project)_data}"
newest=$(list_backups | head -n 1)
row backups "$(list_backups | wc -l | tr -d ' ')${newest:+, the newest $newest}"
if [ -f "$journal_file" ]; then row change "cut off at step $(journal_get step): the next update.sh or rollback.sh puts it right"; fi
exit "$code"
