#!/bin/sh
# Prints what a bug report needs: this machine, Docker, the state of Thoth, its own examination of itself, the ends
# of both logs. Keys and other secrets are left out; read it all the same before you paste it.
#
#   doctor.sh [--help]
#
# Exit code: 0 nothing is wrong; 3 something is; 69 Docker is missing; 77 not allowed; 78 not installed.
dir=$(cd "$(dirname "$0")/.." && pwd -P) && kit=doctor && . "$dir/scripts/lib/kit.sh"

no_options "$@"
installed
title() { printf '\n## %s\n\n' "$1"; }
report() {
  code=0
  title 'This machine'
  uname -srm
  docker version --format 'Docker {{.Server.Version}} ({{.Server.Os}}/{{.Server.Arch}}), client {{.Client.Version}}'
  printf 'Compose %s\n' "$(docker compose version --short)"
  docker info --format '{{.OperatingSystem}}, {{.NCPU}} processors, {{.MemTotal}} bytes of memory, storage {{.Driver}}'
  df -Pk "$dir"
  title 'Thoth'
  sh scripts/status.sh || code=$?
  title 'Settings that are set'
  sed -n 's/^\([A-Z0-9_]*\)=..*/\1/p' "$env_file"
  title 'Its own examination'
  thoth doctor 2>&1 </dev/null || code=$down
  title 'The end of its log'
  compose logs --no-color --no-log-prefix --tail 40 thoth 2>&1
  title 'The end of the log of these scripts'
  tail -n 40 "$log_file"
  return "$code"
}
text=$(report) && code=0 || code=$?
printf '%s\n' "$text" | redact
exit "$code"
