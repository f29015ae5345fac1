# shellcheck shell=sh
# One change at a time.

# lock: takes the lock of this installation for as long as the script runs, or fails
lock() {
  if command -v flock >/dev/null 2>&1; then
    # The kernel lets it go with the last process that has it: also with a docker command that outlived a killed
    # script, for which the next one has to wait.
    exec 9>>"$kit_folder/lock"
    seconds=0
    # Not `flock -w`: Alpine's has none.
    until flock -n 9; do
      [ "$seconds" -gt 0 ] || warn 'Another script is at work here: waiting for it, half a minute at most.'
      [ "$seconds" -lt 30 ] || locked
      sleep 1
      seconds=$((seconds + 1))
    done
    return 0
  fi
  # macOS has no flock: a link whose text is its holder appears in one piece.
  holder="$$ $(started $$)"
  until ln -s "$holder" "$kit_folder/lock.link" 2>/dev/null; do
    other=$(readlink "$kit_folder/lock.link") || continue
    if kill -0 "${other%% *}" 2>/dev/null && [ "$other" = "${other%% *} $(started "${other%% *}")" ]; then locked; fi
    # Moved aside before it goes, so that of two who find it stale one takes it.
    mv "$kit_folder/lock.link" "$kit_folder/lock.stale.$$" 2>/dev/null || continue
    [ "$(readlink "$kit_folder/lock.stale.$$")" = "$other" ] || mv "$kit_folder/lock.stale.$$" "$kit_folder/lock.link"
    rm -f "$kit_folder/lock.stale.$$"
  done
  linked=yes
}

unlock() { [ -z "${linked:-}" ] || rm -f "$kit_folder/lock.link"; }

# started PID: when it was started: a number is used again, the two together are not
started() { ps -o lstart= -p "$1" 2>/dev/null | tr ' ' _; }

locked() {
  fail "$busy" "Another script is changing the installation in $dir." 'Wait until it has ended, and run this again.'
}
