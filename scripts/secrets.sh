#!/bin/sh
# Moves the keys out of .env into files that only the service and this user can read, and restarts Thoth with them.
#
#   secrets.sh [--help]
#
# The files are in secrets/files. To give a key another value later, run configure.sh: Thoth reads the file anew, with
# no restart.
#
# Exit code: 0 done; 1 failed, and all is as before; 3 failed, and the service is down; 64 wrong command line;
# 69 Docker is missing; 75 another script is at work; 77 not allowed; 78 not installed.
dir=$(cd "$(dirname "$0")/.." && pwd -P) && kit=secrets && . "$dir/scripts/lib/kit.sh"

case ${1:-} in
  '') ;;
  -h | --help) help && exit 0 ;;
  *) wrong_usage "There is no option $1." ;;
esac

installed
begin_change
before=$(cat "$env_file")
overlay=deploy/compose/secrets.yml
moved=
for name in OPENAI_API_KEY ANTHROPIC_API_KEY GOOGLE_API_KEY THOTH_ADMIN_KEY OTEL_EXPORTER_OTLP_HEADERS; do
  value=$(env_get "$name")
  [ -n "$value" ] || continue
  write_secret "$name" "$value" || fail "$denied" "$dir/secrets can not be written." 'Free some disk, or run this as the user who installed Thoth.'
  moved="$moved $name"
done
[ -n "$moved" ] || { say 'There is no key in .env to move.' && exit 0; }
for name in $moved; do
  env_put "${name}_FILE" "/run/secrets/$(file_of "$name")" && env_put "$name" '' || fail "$denied" "$env_file can not be written." 'Free some disk and run this again.'
done
files=$(env_get COMPOSE_FILE)
case :$files: in *:"$overlay":*) ;; *) env_put COMPOSE_FILE "${files:-docker-compose.yml}:$overlay" ;; esac
if ! start_service; then
  problem=$why
  write_whole "$env_file" "$before" && start_service || fail "$down" "The service could not be brought back: $why" 'See scripts/doctor.sh.'
  fail "$failed" "Thoth does not run with keys from files: $problem" 'It runs as before.'
fi
say "Moved to secrets/files:$moved"
