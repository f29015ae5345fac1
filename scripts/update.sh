#!/bin/sh
# Updates Thoth, and goes back by itself where the new version does not work.
#
#   update.sh [VERSION] [OPTION...]        VERSION like v1.2.3; without one, the latest
#
# The new version is first tried on a copy of the data while the old one runs. Then the old one is stopped, backed
# up, and replaced. Whatever fails, image and data of before are put back, and it says why.
#
#   --digest SHA256   refuse the image if its digest is another, as it stands in the release's notes
#   --unsigned        take an image without signature, such as your own, although cosign is here
#   --wait SECONDS    how long a version may take to get healthy, with the migration of its data (120)
#   --dry-run         say what would be done
#   --help            print this
#
# Exit code: 0 updated, or up to date already; 1 failed, and all is as before; 3 failed, and the service is down;
# 64 wrong command line; 69 Docker or the network is missing; 75 another script is at work; 77 not allowed;
# 78 not installed.
dir=$(cd "$(dirname "$0")/.." && pwd -P) && kit=update && . "$dir/scripts/lib/kit.sh"

tag='' wanted='' dry=''
while [ $# -gt 0 ]; do
  case $1 in
    --digest) needs_value "$@" && wanted=$2 && shift ;;
    --wait) needs_value "$@" && wait_seconds=$2 && shift ;;
    --unsigned) unsigned=yes ;;
    --dry-run) dry=yes ;;
    -h | --help) help && exit 0 ;;
    -*) wrong_usage "There is no option $1." ;;
    *) [ -z "$tag" ] || wrong_usage 'One version, please.' && tag=$1 ;;
  esac
  shift
done
case $tag in [0-9]*) tag=v$tag ;; esac
check_wait
case $wanted in '' | sha256:*) ;; *) wrong_usage '--digest takes sha256: and 64 digits.' ;; esac

installed
present=$(env_get THOTH_IMAGE)
repository=$(repository_of "$present")
asked=$repository${wanted:+@$wanted}
[ -n "$wanted" ] || asked=$repository:${tag:-latest}

if [ -n "$dry" ]; then
  say "Would pull $asked, try it on a copy of the data, back up, and replace $(name_of "$present")."
  exit 0
fi
begin_change
say "Fetching $asked"
get_image "$asked" || fail "$missing" "$asked can not be fetched: $said" 'Check the version, the network and your login. Nothing was changed.'
new=$(version_of "$asked") || new=
if [ -n "$tag" ] && [ "$tag" != latest ] && [ -n "$wanted" ] && [ "$new" != "$tag" ]; then
  fail "$failed" "The image $wanted is $new, and not $tag." 'Nothing was changed.'
fi
target=$repository:${new:-${tag:-latest}}@$digest
if [ "${present##*@}" = "$digest" ]; then
  start_service || fail "$down" "$new is installed already, and does not run: $why" 'See scripts/doctor.sh.'
  say "Up to date: $new ($(address))"
  exit 0
fi
check_signature "$repository@$digest" || fail "$failed" "$why" 'Nothing was changed.'
before=$(name_of "$present")
change "$target" keep
say "Updated from $before to $(name_of "$target"): $(address)"
say "Back again: scripts/rollback.sh ($backup)"
