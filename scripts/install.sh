#!/bin/sh
# Installs Thoth on this machine: Linux, macOS or WSL, with Docker.
#
#   install.sh [OPTION...]
#
#   --dir FOLDER        where the installation is (~/thoth, or THOTH_DIR)
#   --version VERSION   like v1.2.3; without it, the latest
#   --digest SHA256     refuse the image if its digest is another, as it stands in the release's notes
#   --image IMAGE       another source of the image, such as a mirror (docker.io/marcopancotti/thoth, or THOTH_MIRROR)
#   --unsigned          take an image without signature, such as your own, although cosign is here
#   --offline           take the image that this machine has already, and check no key
#   --port NUMBER       port of this machine (8000)
#   --bind ADDRESS      address of this machine (127.0.0.1: nobody else reaches it)
#   --project NAME      name of containers and volumes, for a second installation on this machine (thoth)
#   --data FOLDER       keep the data in a folder, in place of a volume of Docker's
#   --wait SECONDS      how long it may take to get healthy (120)
#   --skip-key-check    take the providers' keys as they are
#   --non-interactive   ask nothing. Keys come from OPENAI_API_KEY, ANTHROPIC_API_KEY, GOOGLE_API_KEY
#   --dry-run           check this machine and say what would be done
#   --uninstall         stop and remove Thoth; data, backups and settings stay
#   --purge             with --uninstall: those go too
#   --yes               do not ask before --purge
#   --help              print this
#
# It installs nothing but Thoth, and can be run again: what is there stays.
# Exit code: 0 done; 1 failed; 3 the service is down; 64 wrong command line; 69 Docker, memory, disk or the network
# is missing; 75 another script is at work; 77 not allowed; 78 a setting or a key is wrong.
set -eu

# All of it is in functions, so that a download that was cut off runs nothing.

failed=1 usage=64 missing=69 denied=77
least_docker=20.10 least_compose=2.20
least_memory_mb=400 least_disk_mb=600

fail() {
  code=$1
  shift
  for sentence in "$@"; do printf '%s\n' "$sentence" >&2; done
  exit "$code"
}

say() { printf '%s\n' "$*"; }

help() {
  # Where the script comes through a pipe there is no file to read it from.
  if [ -f "$0" ]; then sed -n '2,/^[^#]/{s/^# \{0,1\}//p;}' "$0"; else say 'https://github.com/marcopancotti/thoth/blob/main/docs/DEPLOYMENT.md'; fi
}

# read_options ARGUMENT...: $dir, $tag and so on; what is for scripts/configure.sh stays in the environment
read_options() {
  dir=${THOTH_DIR:-${HOME:-/root}/thoth}
  image=${THOTH_MIRROR:-docker.io/marcopancotti/thoth} tag='' wanted=''
  offline='' unsigned='' dry_run='' uninstall=''
  THOTH_PORT='' THOTH_PROJECT='' THOTH_DATA_FOLDER='' THOTH_BIND_ADDRESS='' THOTH_SKIP_KEY_CHECK='' THOTH_NON_INTERACTIVE=''
  THOTH_PURGE='' THOTH_YES=''
  while [ $# -gt 0 ]; do
    case $1 in
      --dir | --version | --digest | --image | --port | --bind | --project | --data | --wait)
        [ $# -ge 2 ] && [ -n "$2" ] || fail "$usage" "$1 needs a value." 'install.sh --help says what there is.'
        ;;
    esac
    case $1 in
      --dir) dir=$2 && shift ;;
      --version) tag=$2 && shift ;;
      --digest) wanted=$2 && shift ;;
      --image) image=$2 && shift ;;
      --port) THOTH_PORT=$2 && shift ;;
      --bind) THOTH_BIND_ADDRESS=$2 && shift ;;
      --project) THOTH_PROJECT=$2 && shift ;;
      --data) THOTH_DATA_FOLDER=$2 && shift ;;
      --wait) THOTH_WAIT=$2 && shift ;;
      --offline) offline=yes THOTH_SKIP_KEY_CHECK=yes ;;
      --unsigned) unsigned=yes ;;
      --skip-key-check) THOTH_SKIP_KEY_CHECK=yes ;;
      --non-interactive) THOTH_NON_INTERACTIVE=yes ;;
      --dry-run) dry_run=yes ;;
      --uninstall) uninstall=yes ;;
      --purge) THOTH_PURGE=yes ;;
      --yes) THOTH_YES=yes ;;
      -h | --help) help && exit 0 ;;
      *) fail "$usage" "There is no option $1." 'install.sh --help says what there is.' ;;
    esac
    shift
  done
  case $tag in [0-9]*) tag=v$tag ;; esac
  case $tag in *[!A-Za-z0-9._-]*) fail "$usage" '--version takes a version such as v1.2.3.' ;; esac
  case $wanted in '' | sha256:????????????????????????????????????????????????????????????????) ;; *) fail "$usage" '--digest takes sha256: and 64 digits.' ;; esac
  case $image in *@* | *[!A-Za-z0-9./:_-]*) fail "$usage" '--image takes a name without tag and digest: see --version and --digest.' ;; esac
  case ${THOTH_PORT:-1} in *[!0-9]* | ??????*) fail "$usage" '--port takes a number from 1 to 65535.' ;; esac
  [ "${THOTH_PORT:-1}" -ge 1 ] && [ "${THOTH_PORT:-1}" -le 65535 ] || fail "$usage" '--port takes a number from 1 to 65535.'
  case $THOTH_PROJECT in [!a-z0-9]* | *[!a-z0-9_-]*) fail "$usage" '--project takes a name of small letters, digits, - and _.' ;; esac
  case ${THOTH_WAIT:-1} in *[!0-9]*) fail "$usage" '--wait takes whole seconds.' ;; esac
  case $THOTH_DATA_FOLDER in '' | /*) ;; *) THOTH_DATA_FOLDER=$PWD/$THOTH_DATA_FOLDER ;; esac
  case $THOTH_DATA_FOLDER in *[:\$\"\'\\]*) fail "$usage" '--data takes a folder without : $ " and \ in its name.' ;; esac
  [ -z "$THOTH_PURGE" ] || [ -n "$uninstall" ] || fail "$usage" '--purge only goes with --uninstall.'
  [ -z "$dry_run" ] || [ -z "$uninstall" ] || fail "$usage" '--dry-run does not go with --uninstall.'
  case $dir in /*) ;; *) dir=$PWD/$dir ;; esac
  case $dir in *[:\$\"\'\\]*) fail "$usage" '--dir takes a folder without : $ " and \ in its name.' ;; esac
  export THOTH_PORT THOTH_PROJECT THOTH_DATA_FOLDER THOTH_BIND_ADDRESS THOTH_SKIP_KEY_CHECK THOTH_NON_INTERACTIVE THOTH_PURGE THOTH_YES
  [ -z "${THOTH_WAIT:-}" ] || export THOTH_WAIT
}

# at_least VERSION LEAST: both like 20.10.24, LEAST with two numbers
at_least() {
  major=${1%%.*} rest=${1#*.}
  minor=${rest%%[!0-9]*}
  case $major in '' | *[!0-9]*) return 1 ;; esac
  [ "$major" -gt "${2%%.*}" ] || { [ "$major" -eq "${2%%.*}" ] && [ "${minor:-0}" -ge "${2#*.}" ]; }
}

check_system() {
  case $(uname -s) in
    Linux | Darwin) ;;
    *) fail "$missing" "This script is for Linux, macOS and WSL, and this is $(uname -s)." 'On Windows run scripts/install.ps1.' ;;
  esac
  command -v curl >/dev/null 2>&1 || command -v wget >/dev/null 2>&1 ||
    fail "$missing" 'curl or wget is needed to see that Thoth answers.' "Install one with this system's package manager."
}

check_docker() {
  command -v docker >/dev/null 2>&1 ||
    fail "$missing" 'Docker is missing.' 'Install it (https://docs.docker.com/engine/install/), then run this again.'
  facts=$(docker version --format '{{.Server.Version}} {{.Server.Arch}}' 2>&1) || {
    facts=$(printf '%s\n' "$facts" | tail -n 1)
    case $facts in
      *'permission denied'*)
        fail "$denied" 'This user may not use Docker.' "Run this with sudo, or after: sudo usermod -aG docker $(id -un), and a new login."
        ;;
    esac
    fail "$missing" "Docker does not answer: $facts" 'Start it: Docker Desktop, or sudo systemctl start docker.'
  }
  at_least "${facts% *}" "$least_docker" ||
    fail "$missing" "Docker $least_docker or newer is needed, and this is ${facts% *}." 'https://docs.docker.com/engine/install/ has a newer one.'
  case ${facts##* } in
    amd64 | arm64) ;;
    *) fail "$missing" "Thoth is made for amd64 and arm64, and Docker runs on ${facts##* } here." 'It needs another machine.' ;;
  esac
  compose=$(docker compose version --short 2>/dev/null) ||
    fail "$missing" 'Docker Compose is missing ("docker compose").' 'Install its plugin: https://docs.docker.com/compose/install/'
  at_least "${compose#v}" "$least_compose" ||
    fail "$missing" "Docker Compose $least_compose or newer is needed, and this is $compose." 'https://docs.docker.com/compose/install/ has a newer one.'
}

check_room() {
  memory=$(docker info --format '{{.MemTotal}}' 2>/dev/null) || memory=
  case $memory in
    '' | *[!0-9]*) ;;
    *)
      [ $((memory / 1048576)) -ge "$least_memory_mb" ] ||
        fail "$missing" "Docker has $((memory / 1048576)) MB of memory here, and Thoth needs $least_memory_mb." 'Give it more.'
      ;;
  esac
  # The folder may not be there yet: what counts is the disk that it will be on.
  place=$dir
  while [ ! -d "$place" ]; do place=$(dirname "$place"); done
  free=$(df -Pk "$place" | awk 'NR == 2 { print int($4 / 1024) }')
  [ "${free:-0}" -ge "$least_disk_mb" ] ||
    fail "$missing" "There are ${free:-0} MB free for $dir, and $least_disk_mb are needed." 'Free some disk, or choose another folder with --dir.'
  [ -w "$place" ] || fail "$denied" "This user may not write $place." 'Choose another folder with --dir.'
}

# find_image: fetches the image; sets $pin to IMAGE:VERSION@DIGEST, or to an id where no registry ever named it
find_image() {
  earlier=$(sed -n 's/^THOTH_IMAGE=//p' "$dir/.env" 2>/dev/null | tail -n 1) || earlier=
  if [ -n "$earlier" ]; then
    case ${tag:-same} in same | latest) ;; *)
      case $earlier in *":$tag@"*) ;; *) fail "$usage" "$dir has ${earlier%@*}." "To change the version: $dir/scripts/update.sh $tag" ;; esac
      ;;
    esac
    pin=$earlier
    if docker image inspect "$pin" >/dev/null 2>&1; then return 0; fi
    [ -n "$offline" ] || docker pull --quiet "$pin" >/dev/null || fail "$missing" "$pin can not be fetched." 'Check the network, then run this again.'
    return 0
  fi
  asked=$image:${tag:-latest}
  [ -z "$wanted" ] || asked=$image@$wanted
  if [ -n "$offline" ]; then
    digest=$(docker image inspect --format '{{range .RepoDigests}}{{println .}}{{end}}' "$asked" 2>/dev/null) ||
      fail "$missing" "This machine has no image $asked." 'Bring it with "docker load", or leave --offline out.'
    digest=$(printf '%s\n' "$digest" | sed -n 's/.*@//p' | head -n 1)
    [ -n "$digest" ] || { pin=$(docker image inspect --format '{{.Id}}' "$asked") && return 0; }
  else
    say "Fetching $asked"
    pulled=$(docker pull "$asked" 2>&1) ||
      fail "$missing" "$asked can not be fetched: $(printf '%s\n' "$pulled" | tail -n 1)" 'Check the version, the network and "docker login", then run this again.'
    digest=$(printf '%s\n' "$pulled" | sed -n 's/^Digest: *//p')
  fi
  version=$(docker image inspect --format '{{index .Config.Labels "org.opencontainers.image.version"}}' "$asked")
  case $tag in
    '' | latest) ;;
    v*.*.*) [ "v${version#v}" = "$tag" ] || fail "$failed" "The image $asked says that it is $version, and not $tag." 'Nothing was installed.' ;;
  esac
  pin=$image:v${version#v}@$digest
}

# check_signature IMAGE: whether the release's own workflow signed it; $why says why not
check_signature() {
  [ -z "${unsigned:-}" ] && command -v cosign >/dev/null 2>&1 || return 0
  if [ -n "${THOTH_COSIGN_KEY:-}" ]; then
    # What a key signs is logged nowhere.
    said=$(cosign verify --key "$THOTH_COSIGN_KEY" --insecure-ignore-tlog "$1" 2>&1 >/dev/null) && return 0
  else
    said=$(cosign verify --certificate-oidc-issuer https://token.actions.githubusercontent.com \
      --certificate-identity-regexp '^https://github.com/marcopancotti/thoth/\.github/workflows/docker-publish\.yml@refs/tags/v' \
      "$1" 2>&1 >/dev/null) && return 0
  fi
  why="The signature of $1 can not be verified: $(printf '%s\n' "$said" | tail -n 1)"
  return 1
}

# lay_out: the files that come with the image, into the folder
lay_out() {
  (umask 077 && mkdir -p "$dir/.kit") || fail "$denied" "$dir can not be made." 'Choose another folder with --dir.'
  rm -rf "$dir/.kit/new"
  holder=${THOTH_PROJECT:-thoth}-files
  docker rm --force "$holder" >/dev/null 2>&1 || :
  docker create --name "$holder" "$pin" >/dev/null 2>&1 && docker cp "$holder:/app/kit/." "$dir/.kit/new" >/dev/null 2>&1 || failed_copy=yes
  docker rm --force "$holder" >/dev/null 2>&1 || :
  [ -z "${failed_copy:-}" ] || fail "$failed" "$pin is no image of Thoth, or $dir can not be written." 'Nothing was installed.'
  mkdir -p "$dir/scripts" && cp -R "$dir/.kit/new/scripts/." "$dir/scripts/"
}

main() {
  read_options "$@"
  if [ -n "$uninstall" ]; then
    [ -f "$dir/scripts/uninstall.sh" ] || fail 78 "Thoth is not installed in $dir." 'Name its folder with --dir.'
    exec sh "$dir/scripts/uninstall.sh"
  fi
  check_system
  check_docker
  check_room
  if [ -n "$dry_run" ]; then
    say "This machine has what Thoth needs: Docker ${facts% *} on ${facts##* }, Compose $compose, ${free} MB of disk."
    say "Would fetch $image:${tag:-latest}${wanted:+ as $wanted}, lay it out in $dir, ask for keys, and start it on ${THOTH_BIND_ADDRESS:-127.0.0.1}:${THOTH_PORT:-8000}."
    exit 0
  fi
  find_image
  case $pin in
    *@*)
      repository=${pin%@*}
      check_signature "${repository%:*}@${pin#*@}" || fail "$failed" "$why" 'Nothing was installed.'
      ;;
  esac
  lay_out
  # Where this script comes through a pipe, the answers come from the terminal.
  if [ -z "$THOTH_NON_INTERACTIVE" ] && [ ! -t 0 ] && (: </dev/tty) 2>/dev/null; then
    exec sh "$dir/scripts/configure.sh" --image "$pin" </dev/tty
  fi
  exec sh "$dir/scripts/configure.sh" --image "$pin"
}

main "$@"
