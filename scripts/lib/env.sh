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

# file_of NAME: prints the name of the file that holds a secret
file_of() { printf '%s\n' "$1" | tr '[:upper:]' '[:lower:]'; }

# write_secret NAME VALUE: into its file, which the user of the service can read: the folder above it keeps others out
write_secret() {
  (umask 077 && mkdir -p "$dir/secrets") && mkdir -p "$dir/secrets/files" || return 1
  secret_file=$dir/secrets/files/$(file_of "$1")
  (umask 077 && printf '%s\n' "$2" >"$secret_file.partial") && chmod 644 "$secret_file.partial" && to_disk "$secret_file.partial" &&
    mv -f "$secret_file.partial" "$secret_file"
}

# write_whole FILE TEXT: FILE holds TEXT, for this user alone, or what it held before
write_whole() {
  if (umask 077 && printf '%s\n' "$2" >"$1.partial") 2>/dev/null && to_disk "$1.partial" && mv -f "$1.partial" "$1"; then
    return 0
  fi
  rm -f "$1.partial"
  return 1
}

# to_disk FILE...: a power cut from now on does not take them; older systems can only write out everything
to_disk() { sync "$@" 2>/dev/null || sync; }
