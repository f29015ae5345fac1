# shellcheck shell=sh
# Telling the user and the log. What is sourced before: `kit` (the script's name) and `dir` are set.

# Exit codes, the same in every script and on every system (docs/DEPLOYMENT.md).
# shellcheck disable=SC2034 # the scripts use them
failed=1 down=3 usage=64 missing=69 busy=75 denied=77 wrong=78

log_file=$dir/logs/kit.log
log_limit=1048576

# log TEXT...: one line to the log, where there is one yet
log() {
  [ -d "$dir/logs" ] || return 0
  printf '%s %s[%s] %s\n' "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$kit" "$$" "$*" | redact >>"$log_file" || :
}

# open_log: makes the log, readable by this user alone; one that grew large is moved aside
open_log() {
  (
    umask 077
    mkdir -p "$dir/logs"
    if [ -f "$log_file" ] && [ "$(wc -c <"$log_file")" -gt "$log_limit" ]; then mv -f "$log_file" "$log_file.1"; fi
    : >>"$log_file"
  ) || fail "$denied" "The log $log_file can not be written." 'Free some disk, or run this as the user who installed Thoth.'
  log "begins: $kit"
}

say() {
  printf '%s\n' "$*"
  log "$*"
}

warn() {
  printf '%s\n' "$*" >&2
  log "warning: $*"
}

# fail CODE SENTENCE...: what is wrong, what to do next
fail() {
  code=$1
  shift
  for sentence in "$@"; do
    printf '%s\n' "$sentence" >&2
    log "$sentence"
  done
  log "exit code $code"
  exit "$code"
}

# quietly COMMAND...: its output goes to the log; $said keeps its last lines for a message. No argument of a
# command is ever a secret.
quietly() {
  log "runs: $*"
  if said=$("$@" 2>&1 </dev/null); then code=0; else code=$?; fi
  [ -z "$said" ] || log "$said"
  said=$(printf '%s\n' "$said" | tail -n 8 | redact)
  return "$code"
}

# redact: standard input without the values of the secrets in .env and secrets/, and without what looks like one
redact() {
  KIT_DIR=$dir KIT_SECRETS=$(cat "$dir"/secrets/*/* 2>/dev/null) LC_ALL=C awk '
    function secret(value) { if (length(value) >= 6) secrets[++n] = value }
    BEGIN {
      env = ENVIRON["KIT_DIR"] "/.env"
      while ((getline line < env) > 0) {
        at = index(line, "=")
        name = substr(line, 1, at - 1)
        if (name ~ /^[A-Z0-9_]*(KEY|TOKEN|SECRET|PASSWORD|HEADERS)$/) secret(substr(line, at + 1))
      }
      count = split(ENVIRON["KIT_SECRETS"], lines, "\n")
      for (i = 1; i <= count; i++) secret(lines[i])
    }
    {
      for (i = 1; i <= n; i++)
        while ((at = index($0, secrets[i])) > 0)
          $0 = substr($0, 1, at - 1) "[redacted]" substr($0, at + length(secrets[i]))
      gsub(/(sk-|AIza|thoth_)[A-Za-z0-9_-][A-Za-z0-9_-][A-Za-z0-9_-][A-Za-z0-9_-][A-Za-z0-9_-][A-Za-z0-9_-][A-Za-z0-9_-][A-Za-z0-9_-][A-Za-z0-9_-]*/, "[redacted]")
      print
    }'
}

# confirm QUESTION: whether the user says yes; without a terminal, and with --non-interactive, only `yes` counts
confirm() {
  [ -z "${yes:-}" ] || return 0
  [ -z "${non_interactive:-}" ] && [ -t 0 ] || return 1
  printf '%s [y/N] ' "$1" >&2
  read -r answer || return 1
  case $answer in [yY] | [yY][eE][sS]) return 0 ;; *) return 1 ;; esac
}
