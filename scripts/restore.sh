#!/bin/sh
# Makes everything as it was at the time of a backup: version, data and settings. What is there now is backed up
# first. What belongs to the machine stays: port, address, folder of the data, name of the project.
#
#   restore.sh BACKUP [OPTION...]       a name of `backup.sh --list`, or a folder from another machine
#
#   --keep-env        leave the settings in .env as they are
#   --wait SECONDS    how long the version may take to get healthy (120)
#   --yes             do not ask
#   --help            print this
#
# Exit code: 0 done; 1 failed, and all is as before; 3 failed, and the service is down; 64 wrong command line;
# 69 Docker or the network is missing; 75 another script is at work; 77 not allowed; 78 not installed, or there is
# no such backup.
called_in=$PWD
dir=$(cd "$(dirname "$0")/.." && pwd -P) && kit=restore && . "$dir/scripts/lib/kit.sh"

asked='' yes='' keep_env=''
while [ $# -gt 0 ]; do
  case $1 in
    --keep-env) keep_env=yes ;;
    --wait) needs_value "$@" && wait_seconds=$2 && shift ;;
    --yes) yes=yes ;;
    -h | --help) help && exit 0 ;;
    -*) wrong_usage "There is no option $1." ;;
    *) [ -z "$asked" ] || wrong_usage 'One backup, please.' && asked=$1 ;;
  esac
  shift
done
[ -n "$asked" ] || wrong_usage 'Name a backup.'
check_wait

installed
source=$backups/${asked%/}
[ -f "$source/SHA256SUMS" ] || source=$(cd "$called_in" && cd "$asked" 2>/dev/null && pwd -P) || source=
[ -f "$source/SHA256SUMS" ] || fail "$wrong" "There is no backup $asked." 'scripts/backup.sh --list has what there is.'
check_backup "$source"
confirm "Take version, data and settings of ${source##*/} in place of the present ones (which are backed up)?" ||
  fail "$failed" 'Nothing was changed.' 'Run this with --yes if that is meant.'
begin_change
target=$(cat "$source/image")
say "Fetching $target"
get_image "$target" || fail "$missing" "$target can not be fetched: $said" 'Check the network. Nothing was changed.'
[ -n "$keep_env" ] || settings=$source/env
change "$target" "$source"
say "Restored ${source##*/}: $(name_of "$target") runs at $(address)"
say "What was there before is in $backup"
