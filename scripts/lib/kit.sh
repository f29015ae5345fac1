# shellcheck shell=sh
# Sourced by every script of the kit but install.sh, which may be alone on its machine. The script sets `dir`, the
# folder of the installation, and `kit`, its own name.
#
# Messages go to the user and to logs/kit.log, in which no secret ever stands.

set -eu
umask 022
cd "$dir"
kit_folder=$dir/.kit
lib=$dir/scripts/lib

# shellcheck source=scripts/lib/say.sh
. "$lib/say.sh"
# shellcheck source=scripts/lib/env.sh
. "$lib/env.sh"
# shellcheck source=scripts/lib/lock.sh
. "$lib/lock.sh"
# shellcheck source=scripts/lib/service.sh
. "$lib/service.sh"
# shellcheck source=scripts/lib/signature.sh
. "$lib/signature.sh"
# shellcheck source=scripts/lib/backup.sh
. "$lib/backup.sh"
# shellcheck source=scripts/lib/files.sh
. "$lib/files.sh"
# shellcheck source=scripts/lib/change.sh
. "$lib/change.sh"

# help: prints the comment at the head of the script
help() { sed -n '2,/^[^#]/{s/^# \{0,1\}//p;}' "$0"; }

# wrong_usage SENTENCE: ends the script
wrong_usage() { fail "$usage" "$1" "scripts/$kit.sh --help says what there is."; }

# needs_value OPTION [VALUE...]: sees that one follows
needs_value() { [ $# -ge 2 ] || wrong_usage "$1 needs a value."; }

# no_options [ARGUMENT...]: for a script that takes --help alone
no_options() {
  case ${1:-} in
    '') ;;
    -h | --help) help && exit 0 ;;
    *) wrong_usage "There is no option $1." ;;
  esac
}

# check_wait: what --wait or THOTH_WAIT says is a number
check_wait() { case $wait_seconds in '' | *[!0-9]*) wrong_usage '--wait takes whole seconds.' ;; esac }

# installed: sees that there is something to work on, and that Docker answers
installed() {
  [ -f "$env_file" ] && [ -n "$(env_get THOTH_IMAGE)" ] ||
    fail "$wrong" "Thoth is not installed in $dir." 'Run scripts/install.sh first, or the script of the folder it is in.'
  [ -w "$dir" ] && [ -r "$env_file" ] && [ -w "$kit_folder" ] ||
    fail "$denied" "This user may not change $dir." 'Run this as the user who installed Thoth.'
  said=$(docker version --format '{{.Server.Version}}' 2>&1) ||
    fail "$missing" "Docker does not answer: $(printf '%s\n' "$said" | tail -n 1)" 'Start Docker, and see that this user may use it.'
  open_log
}
