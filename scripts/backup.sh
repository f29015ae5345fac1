#!/bin/sh
# Backs up data, settings, compose file and version, while Thoth runs.
#
#   backup.sh [OPTION...]
#
#   --keep NUMBER     how many backups stay, the newest (10)
#   --list            list the backups, the newest first
#   --help            print this
#
# Prints the backup's folder. It holds the keys of .env: keep copies of it as you keep those.
# Exit code: 0 done; 1 failed; 64 wrong command line; 69 Docker is missing; 75 another script is at work;
# 77 not allowed; 78 not installed.
dir=$(cd "$(dirname "$0")/.." && pwd -P) && kit=backup && . "$dir/scripts/lib/kit.sh"

while [ $# -gt 0 ]; do
  case $1 in
    --keep) needs_value "$@" && keep_backups=$2 && shift ;;
    --list) list_backups && exit 0 ;;
    -h | --help) help && exit 0 ;;
    *) wrong_usage "There is no $1 to take." ;;
  esac
  shift
done
case $keep_backups in '' | 0 | *[!0-9]*) wrong_usage '--keep takes a whole number, 1 or more.' ;; esac

installed
begin_change
make_backup "$(env_get THOTH_IMAGE)" || fail "$failed" "$why" 'Nothing was changed.'
retire_backups
printf '%s\n' "$backup"
