#!/bin/sh
# Asks for the settings, writes them to .env, starts Thoth and waits until it answers. install.sh ends in it; run it
# again to change keys, port or address.
#
#   configure.sh [OPTION...]
#
#   --port NUMBER       port of this machine
#   --bind ADDRESS      address of this machine
#   --wait SECONDS      how long it may take to get healthy (120)
#   --skip-key-check    take the providers' keys as they are
#   --non-interactive   ask nothing. Keys come from OPENAI_API_KEY, ANTHROPIC_API_KEY, GOOGLE_API_KEY
#   --help              print this
#
# Exit code: 0 done; 1 failed; 3 the service is down; 64 wrong command line; 69 Docker is missing; 75 another script
# is at work; 77 not allowed; 78 a setting or a key is wrong.
dir=$(cd "$(dirname "$0")/.." && pwd -P) && kit=configure && . "$dir/scripts/lib/kit.sh"

image='' port=${THOTH_PORT:-} bind=${THOTH_BIND_ADDRESS:-} data_folder=${THOTH_DATA_FOLDER:-}
skip_key_check=${THOTH_SKIP_KEY_CHECK:-} non_interactive=${THOTH_NON_INTERACTIVE:-}
while [ $# -gt 0 ]; do
  case $1 in
    --image) needs_value "$@" && image=$2 && shift ;;
    --port) needs_value "$@" && port=$2 && shift ;;
    --bind) needs_value "$@" && bind=$2 && shift ;;
    --wait) needs_value "$@" && wait_seconds=$2 && shift ;;
    --skip-key-check) skip_key_check=yes ;;
    --non-interactive) non_interactive=yes ;;
    -h | --help) help && exit 0 ;;
    *) wrong_usage "There is no $1 to take." ;;
  esac
  shift
done
case ${port:-1} in *[!0-9]* | ??????*) wrong_usage '--port takes a number from 1 to 65535.' ;; esac
case ${bind:-1} in *[!0-9a-fA-F.:[\]]*) wrong_usage '--bind takes an IP address.' ;; esac
check_wait
[ -t 0 ] || non_interactive=yes

providers='OPENAI ANTHROPIC GOOGLE'

# asked PROVIDER: $key is what the user types, unseen
asked() {
  has=$(env_get "$1_API_KEY")$(env_get "$1_API_KEY_FILE")
  # However this ends, the terminal shows what is typed again.
  echo_off=$(stty -g)
  trap 'stty "$echo_off"; echo >&2; exit 130' INT TERM HUP
  # Before the question, so that nothing of an answer is seen that comes at once.
  stty -echo
  printf '%s API key (Enter %s): ' "$1" "$([ -n "$has" ] && echo 'keeps the one that is there' || echo 'for none')" >&2
  read -r key || key=
  stty "$echo_off"
  trap - INT TERM HUP
  echo >&2
}

# plausible KEY: whether it is a key alone, which Docker and every shell read the same
plausible() { case $1 in *[!A-Za-z0-9._~+/=:-]*) return 1 ;; esac }

# check_keys: the image's own check of the keys in the environment, before they are written anywhere. A provider that
# can not be reached is no reason to stop: 69 of `thoth check-keys`.
check_keys() {
  [ -z "$skip_key_check" ] && [ -n "$OPENAI_API_KEY$ANTHROPIC_API_KEY$GOOGLE_API_KEY" ] || return 0
  say 'Checking the keys'
  code=0
  set --
  for provider in $providers; do
    eval "key=\$${provider}_API_KEY"
    # A key that comes now is checked in place of the one in its file.
    [ -z "$key" ] || set -- "$@" -e "${provider}_API_KEY" -e "${provider}_API_KEY_FILE="
  done
  said=$(compose run --rm --no-deps --no-TTY "$@" thoth check-keys 2>&1 </dev/null) || code=$?
  said=$(printf '%s\n' "$said" | redact)
  case $code in
    0) log "$said" ;;
    69) warn "$said" ;;
    *) return 1 ;;
  esac
}

# make_first_key: before the service runs for the first time, which else would make it and write it to Docker's log
make_first_key() {
  [ -z "$(env_get THOTH_ADMIN_KEY)$(env_get THOTH_ADMIN_KEY_FILE)" ] || return 0
  case $keys in *'"keys":[]'*) ;; *) return 0 ;; esac
  if key=$(thoth keys create --name first --scope admin 2>/dev/null </dev/null); then
    # To the user alone, not to the log.
    printf 'The first client key, for everything. It is shown this once:\n\n    %s\n\n' "$key"
  fi
}

# read_keys: the keys into OPENAI_API_KEY and so on, from the environment, the user, or .env
read_keys() {
  for provider in $providers; do
    eval "key=\${${provider}_API_KEY:-}"
    if [ -z "$key" ] && [ -z "$non_interactive" ]; then asked "$provider"; fi
    plausible "$key" || fail "$wrong" "${provider}_API_KEY holds characters that no key has." 'Copy the key alone, without quotes or blanks.'
    [ -n "$key" ] || key=$(env_get "${provider}_API_KEY")
    export "${provider}_API_KEY=$key"
  done
}

first_env() {
  text=$(cat .env.example) && write_whole "$env_file" "$text" || fail "$denied" "$env_file can not be written." 'Free some disk, or choose another folder.'
}

# use_folder FOLDER: keeps the data there, owned by whom the service then runs as
use_folder() {
  [ "$1" != "$(env_get THOTH_DATA)" ] || return 0
  [ -z "$(container)" ] || fail "$usage" 'Data does not move by itself.' 'Make a backup, uninstall with --purge, install with --data, and restore.sh the backup.'
  mkdir -p "$1" || fail "$denied" "The folder $1 can not be made." 'Choose another one with --data.'
  case $(docker info --format '{{.SecurityOptions}}' 2>/dev/null) in
    # Docker without root: its root is this user.
    *rootless*) user=0:0 ;;
    *)
      user=$(id -u):$(id -g)
      if [ "$user" = 0:0 ]; then
        user=65532:65532
        chown "$user" "$1"
      fi
      ;;
  esac
  env_put THOTH_DATA "$1" && env_put THOTH_USER "$user"
}

[ -d "$kit_folder" ] || fail "$wrong" "Thoth is not installed in $dir." 'Run install.sh.'
open_log
lock
if [ -d "$kit_folder/new" ]; then
  put_files scripts || fail "$denied" "The files in $dir can not be written." 'Free some disk, or choose another folder.'
  rm -rf "$kit_folder/new"
fi
recover || stuck
[ -f "$env_file" ] || first_env
chmod 600 "$env_file"
[ -z "$image" ] || env_put THOTH_IMAGE "$image"
[ -n "$(env_get THOTH_IMAGE)" ] || fail "$wrong" 'THOTH_IMAGE in .env is empty.' 'Run install.sh.'
[ -z "${THOTH_PROJECT:-}" ] || env_put COMPOSE_PROJECT_NAME "$THOTH_PROJECT"
[ -z "$port" ] || env_put PORT "$port"
[ -z "$bind" ] || env_put THOTH_BIND "$bind"
if [ -n "$data_folder" ]; then use_folder "$data_folder"; fi

running=$(container)
[ -n "$running" ] && is_running "$running" || running=
# Its port, its image and its keys in one go; where the data is of an earlier version, only starting it tells more.
if [ -z "$running" ] && ! keys=$(compose run --rm --no-deps --no-TTY --service-ports thoth keys list --json 2>/dev/null </dev/null) &&
  ! quietly compose run --rm --no-deps --no-TTY --service-ports thoth version; then
  case $said in
    *'already allocated'* | *'already in use'* | *'ports are not available'*)
      fail "$wrong" "Another program listens at $(address)." "Choose another port: --port $(($(env_get PORT) + 1))"
      ;;
  esac
  fail "$failed" "The image does not start: $said" "See $log_file."
fi

tries=0
while :; do
  read_keys
  if check_keys; then break; fi
  warn "$said"
  tries=$((tries + 1))
  if [ -n "$non_interactive" ] || [ "$tries" -ge 3 ]; then
    fail "$wrong" 'A key was not accepted, and none was written.' 'Mend it and run this again; --skip-key-check takes it as it is.'
  fi
  unset OPENAI_API_KEY ANTHROPIC_API_KEY GOOGLE_API_KEY
done
for provider in $providers; do
  eval "key=\$${provider}_API_KEY"
  if [ -z "$key" ] || [ "$key" = "$(env_get "${provider}_API_KEY")" ]; then continue; fi
  if [ -n "$(env_get "${provider}_API_KEY_FILE")" ]; then write_secret "${provider}_API_KEY" "$key"; else env_put "${provider}_API_KEY" "$key"; fi ||
    fail "$denied" "$env_file can not be written." 'Free some disk and run this again.'
done
unset OPENAI_API_KEY ANTHROPIC_API_KEY GOOGLE_API_KEY

[ -n "$running" ] || make_first_key
say "Starting $(name_of "$(env_get THOTH_IMAGE)")"
if ! start_service; then
  started=$(container)
  [ -z "$started" ] || warn "The last lines of its log:
$(last_words "$started")"
  quietly compose down || :
  fail "$down" "Thoth does not run: $why" 'Nothing but its settings and data was left. Mend what is said above and run this again.'
fi

say "Thoth $(name_of "$(env_get THOTH_IMAGE)") runs at $(address)"
[ "$ready" = 200 ] || warn "It is not ready to serve yet.
$lacking"
if failing_companion; then
  warn "The last lines of its log:
$(last_words "$companion")"
  fail "$down" "Thoth runs, and beside it $why" 'Mend what is said above and run this again.'
fi
