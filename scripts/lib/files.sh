# shellcheck shell=sh
# The files that come with an image, in /app/kit of it: the compose file, the overlays, the scripts.
#
# .kit/shipped holds them as they were shipped: what the user has changed is never overwritten.

# fetch_files IMAGE: lays the files of an image into .kit/new, without starting it
fetch_files() {
  rm -rf "$kit_folder/new"
  holder=$(project)-files
  docker rm --force "$holder" >/dev/null 2>&1 || :
  if why=$(docker create --name "$holder" "$1" 2>&1) && why=$(docker cp "$holder:/app/kit/." "$kit_folder/new" 2>&1); then why=; fi
  docker rm --force "$holder" >/dev/null 2>&1 || :
  [ -z "$why" ] || why="the image holds no kit: $(printf '%s\n' "$why" | tail -n 1)"
  [ -z "$why" ]
}

# put_files [scripts]: takes the files of .kit/new into use, the scripts only where asked: they never go back
put_files() {
  for file in $(cd "$kit_folder/new" && find . -type f | sed 's|^\./||' | LC_ALL=C sort); do
    case $file in scripts/*) [ "${1:-}" = scripts ] || continue ;; esac
    if [ -f "$dir/$file" ] && ! cmp -s "$dir/$file" "$kit_folder/new/$file" && ! cmp -s "$dir/$file" "$kit_folder/shipped/$file"; then
      cp "$kit_folder/new/$file" "$dir/$file.new" || return 1
      warn "You changed $file: it stays, and the new one is beside it as $file.new."
      continue
    fi
    put_file "$dir/$file" && put_file "$kit_folder/shipped/$file" || return 1
  done
}

# put_file TARGET: replaces it in one piece; a script that runs goes on with the file it was started from
put_file() {
  cmp -s "$kit_folder/new/$file" "$1" && return 0
  mkdir -p "${1%/*}" && cp "$kit_folder/new/$file" "$1.partial" && mv -f "$1.partial" "$1"
}
