#!/bin/sh
# Goes back to an earlier version.
#
#   rollback.sh [VERSION | BACKUP] [OPTION...]     without either, the version before the last update
#
# The data stays as it is where the earlier version can read it, which is tried on a copy first: nothing that was
# written is lost. Where it can not, or BACKUP is named, the data goes back too. What is there now is backed up
# in either case.
#
#   --with-data       take the data of the version's last backup
#   --unsigned        take an image without signature where the version has no backup, although cosign is here
#   --wait SECONDS    how long the version may take to get healthy (120)
#   --list            list the backups, the newest first
#   --dry-run         say what would be done
#   --yes             do not ask before data goes back
#   --help            print this
#
# Exit code: 0 done; 1 failed, and all is as before; 3 failed, and the service is down; 64 wrong command line;
# 69 Docker or the network is missing; 75 another script is at work; 77 not allowed; 78 not installed, or there is
# no such backup.
dir=$(cd "$(dirname "$0")/.." && pwd -P) && kit=rollback && . "$dir/scripts/lib/kit.sh"

asked='' with_data='' dry='' yes=''
while [ $# -gt 0 ]; do
  case $1 in
    --with-data) with_data=yes ;;
    --unsigned) unsigned=yes ;;
    --wait) needs_value "$@" && wait_seconds=$2 && shift ;;
    --list) list_backups && exit 0 ;;
    --dry-run) dry=yes ;;
    --yes) yes=yes ;;
    -h | --help) help && exit 0 ;;
    -*) wrong_usage "There is no option $1." ;;
    *) [ -z "$asked" ] || wrong_usage 'One version or backup, please.' && asked=$1 ;;
  esac
  shift
done
case $asked in [0-9]*.[0-9]*) case $asked in *Z-*) ;; *) asked=v$asked ;; esac ;; esac
check_wait

installed
source=''
case $asked in
  *Z-*)
    source=$backups/${asked##*/}
    with_data=yes
    [ -d "$source" ] || fail "$wrong" "There is no backup $asked." 'scripts/rollback.sh --list has what there is.'
    ;;
  *) source=$(newest_backup "$asked") || source= ;;
esac
if [ -n "$source" ]; then
  check_backup "$source"
  target=$(cat "$source/image")
elif [ -n "$asked" ] && [ -z "$with_data" ]; then
  target=$(repository_of "$(env_get THOTH_IMAGE)"):$asked
else
  fail "$wrong" "There is no backup to go back to${asked:+ with $asked}." 'Name a version: scripts/rollback.sh v1.2.3.'
fi

if [ -n "$dry" ]; then
  say "Would back up what is there, and go back to $target${with_data:+ with the data of ${source##*/}}."
  exit 0
fi
if [ -n "$with_data" ]; then
  confirm "Take the data of ${source##*/} in place of the present data (which is backed up)?" ||
    fail "$failed" 'The data would go back too.' 'Run this with --yes if that is meant. Nothing was changed.'
fi
begin_change
say "Fetching $target"
get_image "$target" || fail "$missing" "$target can not be fetched: $said" 'Check the version and the network. Nothing was changed.'
case $target in
  *@*) ;; # out of a backup: it has run here before
  *)
    check_signature "${target%:*}@$digest" || fail "$failed" "$why" 'Nothing was changed.'
    target=$target@$digest
    ;;
esac
before=$(name_of "$(env_get THOTH_IMAGE)")
change "$target" "$(if [ -n "$with_data" ]; then echo "$source"; else echo keep; fi)"
say "Went back from $before to $(name_of "$target"): $(address)"
say "What was there before is in $backup"
