#!/bin/sh
# Stops and removes Thoth. Data, backups and settings stay, and install.sh takes them up again.
#
#   uninstall.sh [--purge] [--yes] [--non-interactive]
#
#   --purge              data, backups, settings and scripts go too, for good
#   --yes                do not ask before that
#   --non-interactive    ask nothing: --purge then needs --yes
#   --help               print this
#
# Exit code: 0 done; 1 failed; 64 wrong command line; 69 Docker is missing; 75 another script is at work; 77 not
# allowed; 78 not installed.
dir=$(cd "$(dirname "$0")/.." && pwd -P) && kit=uninstall && . "$dir/scripts/lib/kit.sh"

purge=${THOTH_PURGE:-} yes=${THOTH_YES:-} non_interactive=${THOTH_NON_INTERACTIVE:-}
while [ $# -gt 0 ]; do
  case $1 in
    --purge) purge=yes ;;
    --yes) yes=yes ;;
    --non-interactive) non_interactive=yes ;;
    -h | --help) help && exit 0 ;;
    *) wrong_usage "There is no option $1." ;;
  esac
  shift
done

installed
if [ -n "$purge" ]; then
  confirm "Remove all data, backups and settings in $dir for good?" ||
    fail "$failed" 'Nothing was removed.' 'Run it with --yes if that is meant.'
fi
lock
drop_trial || fail "$failed" "It could not be removed: $why"
if [ -z "$purge" ]; then
  quietly compose down --remove-orphans || fail "$failed" "It could not be removed: $said"
  say "Thoth is removed. Data, backups and settings stay in $dir and in Docker's volume; install.sh takes them up again."
  unlock
  exit 0
fi
data=$(env_get THOTH_DATA)
image=$(env_get THOTH_IMAGE)
quietly compose down --remove-orphans --volumes || fail "$failed" "It could not be removed: $said"
docker image rm "$image" >/dev/null 2>&1 || :
case $data in
  "$dir"/*) rm -rf "$data" ;;
  /*) warn "Its data in $data is yours, and stays." ;;
esac
# Only what came with Thoth, and what it made: the folder may hold files of the user's own.
files=$(cd "$kit_folder/shipped" && find . -type f)
folders=$(cd "$kit_folder/shipped" && find . -depth -type d)
for file in $files; do rm -f "$dir/$file" "$dir/$file.new"; done
rm -rf "$backups" "$dir/logs" "$kit_folder" "$env_file" "$dir/secrets"
for folder in $folders; do rmdir "$dir/$folder" 2>/dev/null || :; done
cd / && rmdir "$dir" 2>/dev/null || :
printf 'Thoth is removed.\n'
