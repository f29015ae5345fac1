# shellcheck shell=sh
# A change of version or data, as a transaction. Each step is written to .kit/journal before it is taken, so that
# whoever comes after a power cut finishes it or takes it back:
#
#   fetch    the image is fetched                               the service runs as before
#   trial    the new version runs on a copy of the data         the service runs as before
#   stop     the service is stopped, and backed up              undone by starting it
#   switch   image, files and data are replaced, and started    finished if it runs healthy, else undone
#   undo     image, files and data of the backup are put back   done again until it is done
#   finish   scripts of the new version, old backups go         done again until it is done

journal_file=$kit_folder/journal
# The step that this script has reached: none, one of the above, or "closed".
step=

# journal STEP: what comes next, and all that is needed to finish it or take it back
journal() {
  step=$1
  write_whole "$journal_file" "step=$step
from=$from
to=$to
data=$data
settings=$settings
backup=$backup
was_ready=$was_ready" || fail "$failed" "$journal_file can not be written." 'Free some disk and run this again.'
  log "step $step"
}

# load_journal: the step that was reached, and what it was about
load_journal() {
  step=$(journal_get step) from=$(journal_get from) to=$(journal_get to) data=$(journal_get data)
  settings=$(journal_get settings) backup=$(journal_get backup) was_ready=$(journal_get was_ready)
}

journal_get() { sed -n "s/^$1=//p" "$journal_file"; }

# A .env to take the settings from, where one does.
settings=
# What .env was, while a script changes nothing but that.
env_before=

# change IMAGE DATA: runs IMAGE from now on. DATA is "keep", or the folder of a backup whose data it gets.
# Whatever goes wrong in it ends the script, and the trap that `begin_change` set takes it back.
change() {
  to=$1 data=$2 backup='' was_ready=''
  from=$(env_get THOTH_IMAGE)
  running=$(container)
  if [ -n "$running" ] && probe "$running"; then was_ready=$ready; fi
  journal fetch
  fetch_files "$to" || fail "$failed" "$why" 'Nothing was changed.'
  journal trial
  say "Trying $(name_of "$to") on a copy of the data"
  try_on_copy || fail "$failed" "$(name_of "$to") does not work here: $why" 'The running version was not touched.'
  journal stop
  say 'Stopping and backing up'
  quietly compose stop thoth || fail "$failed" "The service could not be stopped: $said"
  make_backup "$from" || fail "$failed" "No backup, no change: $why"
  journal switch
  say "Starting $(name_of "$to")"
  switch || fail "$failed" "$(name_of "$to") does not work here: $why"
  finish
}

# try_on_copy: starts $to on a copy of the data, out of anybody's reach; $why says what is wrong with it
try_on_copy() {
  drop_trial || return 1
  copy=$kit_folder/trial.backup
  if [ "$data" = keep ]; then
    (umask 077 && backup_data >"$copy") 2>"$kit_folder/said" </dev/null || {
      why="the data could not be backed up: $(tail -n 3 "$kit_folder/said" | redact)"
      return 1
    }
  else
    copy=$data/data
  fi
  trial config 2>/dev/null | grep -qF "source: $(trial_source)" || {
    why="a compose file of your own mounts /app/data: set THOTH_DATA in .env in its place"
    return 1
  }
  case $(trial_source) in /*) trial_folder || return 1 ;; esac
  trial run --rm --no-deps --no-TTY thoth restore - <"$copy" >"$kit_folder/said" 2>&1 || {
    why="it can not take the data: $(tail -n 3 "$kit_folder/said" | redact)"
    return 1
  }
  quietly trial run --detach --no-deps --name "$(project)-trial" thoth || { why=$said && return 1; }
  if ! wait_healthy "$(project)-trial"; then
    warn "The last lines of its log:
$(last_words "$(project)-trial")"
    return 1
  fi
  as_ready && drop_trial
}

# trial ARGUMENT...: compose with the new image and the copy of the data
trial() { THOTH_IMAGE=$to THOTH_DATA=$(trial_source) docker compose --ansi never --progress quiet "$@"; }

# trial_source: prints where the copy of the data is: a volume like the data's, or a folder like the data's
trial_source() {
  case $(env_get THOTH_DATA) in
    '' | thoth_data) echo thoth_trial ;;
    *) printf '%s\n' "$kit_folder/trial" ;;
  esac
}

# trial_folder: makes the folder, for the user that the service runs as
trial_folder() {
  mkdir "$kit_folder/trial" && chmod 700 "$kit_folder/trial" || { why="$kit_folder/trial can not be made" && return 1; }
  [ "$(id -u)" -ne 0 ] || chown "$(service_user)" "$kit_folder/trial"
}

service_user() {
  user=$(env_get THOTH_USER)
  printf '%s\n' "${user:-65532:65532}"
}

# drop_trial: removes what a trial leaves; or it fails with $why, where Docker itself is away
drop_trial() {
  docker rm --force "$(project)-trial" >/dev/null 2>&1 || :
  # `compose run` of a script that was killed: its container may still hold the volume.
  left=$(docker ps --all --quiet --filter "label=com.docker.compose.project=$(project)" --filter label=com.docker.compose.oneoff=True 2>&1) || {
    why=$left
    return 1
  }
  # shellcheck disable=SC2086 # a list of ids
  [ -z "$left" ] || docker rm --force $left >/dev/null 2>&1 || :
  docker volume rm --force "$(project)_trial" >/dev/null 2>&1 || :
  rm -rf "$kit_folder/trial" "$kit_folder/trial.backup" "$kit_folder/said"
}

# switch: puts $to, its files and its data in place and starts it
switch() {
  if [ "$data" != keep ]; then restore_data "$data" "$to" || return 1; fi
  { [ -z "$settings" ] || take_settings; } && put_files && env_put THOTH_IMAGE "$to" || { why="the files in $dir could not be replaced" && return 1; }
  start_service || return 1
  as_ready
}

# as_ready: whether what was just probed is as ready as what ran before: a version that lost its keys or can not write
# its data is no better for being alive
as_ready() {
  [ "$was_ready" != 200 ] || [ "$ready" = 200 ] || {
    why="it is not ready, and the version before was: $lacking"
    return 1
  }
}

# take_settings: .env as $settings has it, but for what belongs to this machine
take_settings() {
  text=$(cat "$settings") || return 1
  for name in COMPOSE_PROJECT_NAME COMPOSE_FILE PORT THOTH_BIND THOTH_DATA THOTH_USER THOTH_IMAGE; do
    value=$(env_get "$name")
    # Empty is not the same as not there: Compose takes no empty COMPOSE_FILE.
    if [ -n "$value" ]; then text=$(printf '%s\n' "$text" | env_with "$name" "$value" -); else text=$(printf '%s\n' "$text" | sed "/^$name=/d"); fi
  done
  write_whole "$env_file" "$text"
}

finish() {
  journal finish
  { [ -d "$kit_folder/new" ] || fetch_files "$to"; } && put_files scripts || warn "The scripts of $(name_of "$to") could not be put in place."
  retire_backups
  drop_trial && revive && close_journal
}

# close_journal: the change is over, one way or the other
close_journal() {
  docker rm --force "$(project)-files" >/dev/null 2>&1 || :
  rm -rf "$kit_folder/new"
  rm -f "$journal_file"
  step=closed
}

# take_back: undoes from here on, also where a full disk keeps the journal from being written
take_back() {
  (journal undo) || :
  undo
}

# patient: `--wait` is for the new version; the one before gets at least the time that it has when nothing is said
patient() { [ "$wait_seconds" -ge 120 ] || wait_seconds=120; }

# undo: the image, the files and the data of the backup again
undo() {
  patient
  log "undoing: back to $from"
  # What hangs is not waited for: the time that requests in flight get is for a version that works.
  quietly compose stop --timeout 5 thoth || :
  stopped=$(container)
  # Whatever was written since it started is not lost: it is kept beside the backup, as it was on the disk.
  if [ -n "$stopped" ] && [ ! -e "$backup/after.tar" ]; then
    (umask 077 && docker cp "$stopped:/app/data" - >"$backup/after.tar" 2>/dev/null) || rm -f "$backup/after.tar"
  fi
  drop_trial || return 1
  if [ -n "$settings" ]; then write_whole "$env_file" "$(cat "$backup/env")"; fi
  env_put THOTH_IMAGE "$from" || { why="$env_file can not be written" && return 1; }
  fetch_files "$from" && put_files || log "the files of $from could not be put back"
  quietly compose rm --force --stop thoth || :
  restore_data "$backup" "$from" && start_service && close_journal
}

# undo_settings: .env as it was, and the service with it
undo_settings() {
  write_whole "$env_file" "$env_before" || { why="$env_file can not be written" && return 1; }
  start_service
}

# recover: finishes or undoes a change that was cut off; afterwards the service runs, and there is no journal
recover() {
  [ -f "$journal_file" ] || return 0
  load_journal
  patient
  log "recovering from step $step"
  case $step in
    fetch | trial) drop_trial && revive && close_journal ;;
    stop)
      drop_trial || return 1
      # Docker may still be about to stop it, for the script that is gone.
      quietly compose stop thoth || :
      start_service && close_journal
      ;;
    switch)
      running=$(container)
      if [ -n "$running" ] && [ "$(docker inspect --format '{{.State.Running}} {{.Image}}' "$running")" = "true $(image_id "$to")" ] &&
        start_service; then
        say "The change to $(name_of "$to") was cut off and is now finished."
        finish
      else
        take_back
      fi
      ;;
    undo) undo ;;
    finish) finish ;;
  esac
}

# revive: starts the service where it ran before and does not now: a Docker that crashed may leave it down
revive() { [ -z "$was_ready" ] || is_running "$(container)" || start_service; }

# begin_change: takes the lock, puts right what was cut off, and sees to it that nothing from here on is left half
# done. The service must be one that was installed.
begin_change() {
  lock
  recover || stuck
  step=
  sweep
  trap 'end_change $?' EXIT
  trap 'exit 129' HUP
  trap 'exit 130' INT
  trap 'exit 143' TERM
}

# sweep: removes files that were not whole yet when something was cut off
sweep() {
  for place in "$dir" "$kit_folder" "$dir/scripts" "$dir/scripts/lib" "$dir/deploy/compose"; do rm -f "$place"/*.partial "$place"/.*.partial; done
  rm -rf "$backups/.partial"
}

# end_change CODE: at the end of the script
end_change() {
  trap '' HUP INT TERM
  trap - EXIT
  [ ! -f "$journal_file" ] || load_journal
  [ -z "$env_before" ] || step=settings
  case $step in
    closed) ;;
    '' | fetch | trial)
      case $1 in 129 | 130 | 143) warn 'Interrupted: nothing was changed.' ;; esac
      # Where Docker is away, so that nothing can be removed, the next script does it.
      recover || :
      ;;
    finish)
      finish || stuck
      say "$(name_of "$to") runs: $(address)"
      ;;
    *)
      say 'Going back to what was before'
      case $step in
        stop) recover ;;
        # What failed here is not asked once more whether it works, as `recover` would.
        switch) take_back ;;
        undo) undo ;;
        settings) undo_settings ;;
      esac || stuck
      say "$(name_of "$(env_get THOTH_IMAGE)") runs again: $(address)"
      ;;
  esac
  sweep
  unlock
  exit "$1"
}

# stuck: neither forward nor back
stuck() {
  trap - EXIT
  unlock
  fail "$down" "The service could not be brought back: $why" \
    "${backup:+The data is safe in $backup. }Put right what is said above and run this again; scripts/doctor.sh says more."
}

# name_of IMAGE: prints its version, or what there is to call it
name_of() {
  version=$(version_of "$1" 2>/dev/null) || version=
  printf '%s\n' "${version:-$1}"
}
