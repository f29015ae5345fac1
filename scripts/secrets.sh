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

no_options "$@"
installed
begin_change
overlay=deploy/compose/secrets.yml
files=$(env_get COMPOSE_FILE)
# Compose reads that one by itself only where none is named.
[ -n "$files" ] || [ ! -f docker-compose.override.yml ] || files=docker-compose.yml:docker-compose.override.yml
files=${files:-docker-compose.yml}
case :$files: in *:"$overlay":*) ;; *) files=$files:$overlay ;; esac

text=$(env_with COMPOSE_FILE "$files" "$env_file")
moved=
for name in OPENAI_API_KEY ANTHROPIC_API_KEY GOOGLE_API_KEY THOTH_ADMIN_KEY OTEL_EXPORTER_OTLP_HEADERS; do
  value=$(env_get "$name")
  [ -n "$value" ] || continue
  write_secret "$name" "$value" || fail "$denied" "$dir/secrets can not be written." 'Free some disk, or run this as the user who installed Thoth.'
  text=$(printf '%s\n' "$text" | env_with "${name}_FILE" "/run/secrets/$(file_of "$name")" - | env_with "$name" '' -)
  moved="$moved $name"
done

env_before=$(cat "$env_file")
if [ -n "$moved" ]; then
  write_whole "$env_file" "$text" || {
    env_before=
    fail "$denied" "$env_file can not be written." 'Free some disk and run this again.'
  }
fi
# Also where nothing is left to move: a run that was cut off may have done that alone.
start_service || fail "$failed" "Thoth does not run with keys from files: $why"
env_before=
if [ -n "$moved" ]; then say "Moved to secrets/files:$moved"; else say 'There is no key in .env to move.'; fi
