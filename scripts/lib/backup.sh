# shellcheck shell=sh
# Backups: a folder each under backups/, named by time and version, whole or not there.
#
#   data         the data, as the image's own `thoth backup` gives it
#   env          .env
#   docker-compose.yml
#   image        the image by digest, as .env names it
#   SHA256SUMS   of all of the above

backups=$dir/backups
keep_backups=${THOTH_KEEP_BACKUPS:-10}

sha256() {
  if command -v sha256sum >/dev/null 2>&1; then sha256sum "$@"; else shasum -a 256 "$@"; fi
}

# make_backup IMAGE: backs up what is there now; sets $backup to the folder, or $why
make_backup() {
  stem=$(version_of "$1") || stem=
  # Names go by the second: of two in one, the later waits.
  while backup=$backups/$(date -u +%Y%m%dT%H%M%SZ)-${stem:-unknown} && [ -e "$backup" ]; do sleep 1; done
  (umask 077 && mkdir -p "$backups" && rm -rf "$backups"/.partial && mkdir "$backups/.partial") || {
    why="$backups can not be written"
    return 1
  }
  if ! said=$( (umask 077 && backup_data >"$backups/.partial/data") 2>&1 </dev/null); then
    log "$said"
    why="the data could not be backed up: $(printf '%s\n' "$said" | tail -n 3 | redact)"
    return 1
  fi
  if ! (
    umask 077
    cp "$env_file" "$backups/.partial/env" && cp docker-compose.yml "$backups/.partial/" && printf '%s\n' "$1" >"$backups/.partial/image" &&
      cd "$backups/.partial" && sha256 data env docker-compose.yml image >SHA256SUMS && to_disk ./*
  ) || ! mv "$backups/.partial" "$backup"; then
    why="the backup could not be written to $backups"
    return 1
  fi
  log "backup $backup"
}

# check_backup FOLDER: sees that it is whole
check_backup() {
  [ -f "$1/SHA256SUMS" ] && (cd "$1" && sha256 -c SHA256SUMS >/dev/null 2>&1) ||
    fail "$wrong" "The backup $1 is damaged: its checksums do not match." 'Take another one.'
}

# newest_backup [VERSION]: prints the newest one, of that version where one is named, of another than the present
# image where none is
newest_backup() {
  image=$(env_get THOTH_IMAGE)
  for folder in $(list_backups); do
    if [ -n "${1:-}" ]; then
      case $folder in *-"$1") ;; *) continue ;; esac
    elif [ "$(cat "$backups/$folder/image")" = "$image" ]; then
      continue
    fi
    printf '%s\n' "$backups/$folder"
    return 0
  done
  return 1
}

# list_backups: prints their names, the newest first; they hold no blanks
list_backups() {
  [ -d "$backups" ] || return 0
  for folder in "$backups"/[0-9]*T[0-9]*Z-*; do
    [ ! -f "$folder/SHA256SUMS" ] || printf '%s\n' "${folder##*/}"
  done | LC_ALL=C sort -r
}

# retire_backups: removes the oldest beyond the number that is kept
retire_backups() {
  list_backups | tail -n "+$((keep_backups + 1))" | while read -r folder; do
    log "removes backup $folder"
    rm -rf "${backups:?}/$folder"
  done
}

# restore_data FOLDER IMAGE: IMAGE puts the data of a backup in the place of what is there; the service is stopped
restore_data() {
  if ! said=$(THOTH_IMAGE=$2 docker compose --ansi never --progress quiet run --rm --no-deps --no-TTY thoth restore - <"$1/data" 2>&1); then
    log "$said"
    why="the data of ${1##*/} could not be restored: $(printf '%s\n' "$said" | tail -n 3 | redact)"
    return 1
  fi
  log "restored the data of ${1##*/}"
}
