# shellcheck shell=sh
# The settings in .env, which is mode 600 and replaced as a whole or not at all.

env_file=$dir/.env

# env_get NAME: prints its value, or nothing
env_get() {
  [ -f "$env_file" ] || return 0
  sed -n "s/^$1=//p" "$env_file" | tail -n 1 | tr -d '\r'
}

# env_with NAME VALUE FILE: prints FILE with the setting in it. The value travels in the environment, since the
# arguments of a process are for all to see.
env_with() {
  NAME=$1 VALUE=$2 awk '
    BEGIN { name = ENVIRON["NAME"]; line = name "=" ENVIRON["VALUE"] }
    index($0, name "=") == 1 { if (!done) print line; done = 1; next }
    { print }
    END { if (!done) print line }' "$3"
}

# env_put NAME VALUE: sets it in .env
env_put() {
  text=$(env_with "$1" "$2" "$env_file") || return 1
  write_whole "$env_file" "$text"
}

# write_whole FILE TEXT: FILE holds TEXT, for this user alone, or what it held before
write_whole() {
  partial=$1.partial.$$
  if (umask 077 && printf '%s\n' "$2" >"$partial") 2>/dev/null && to_disk "$partial" && mv -f "$partial" "$1"; then
    return 0
  fi
  rm -f "$partial"
  return 1
}

# to_disk FILE: a power cut from now on does not take it; older systems can only write out everything
to_disk() { sync "$1" 2>/dev/null || sync; }
