# shellcheck shell=sh
# The running service: Docker, the container, the image.

# Compose prefers these from the environment over .env, which alone says what this installation is.
unset COMPOSE_FILE COMPOSE_PROJECT_NAME COMPOSE_PROFILES PORT THOTH_BIND THOTH_DATA THOTH_IMAGE THOTH_USER

program='/nodejs/bin/node /usr/local/bin/thoth'
wait_seconds=${THOTH_WAIT:-120}

compose() { docker compose --ansi never --progress quiet "$@"; }

# project: prints the name that compose gives its containers, its network and its volumes
project() {
  name=$(env_get COMPOSE_PROJECT_NAME)
  printf '%s\n' "${name:-thoth}"
}

# container: prints the id of the service's container, running or not, or nothing. Docker itself is quicker to ask
# than Compose.
container() {
  docker ps --all --quiet --no-trunc --filter "label=com.docker.compose.project=$(project)" \
    --filter label=com.docker.compose.service=thoth --filter label=com.docker.compose.oneoff=False 2>/dev/null | head -n 1
}

# is_running CONTAINER: whether it is
is_running() { [ "$(docker inspect --format '{{.State.Running}}' "$1" 2>/dev/null)" = true ]; }

# thoth ARGUMENT...: runs the image's own program beside the service, with its data and settings
thoth() { compose run --rm --no-deps --no-TTY thoth "$@"; }

# backup_data: prints a consistent copy of the data. In the container that runs it takes a third of the time of one
# of its own.
backup_data() {
  running=$(container)
  if [ -n "$running" ] && is_running "$running"; then
    # shellcheck disable=SC2086 # two words
    docker exec "$running" $program backup --output -
  else
    thoth backup --output -
  fi
}

# image_id IMAGE: prints the id under which this machine has it, or fails
image_id() { docker image inspect --format '{{.Id}}' "$1" 2>/dev/null; }

# version_of IMAGE: prints v1.2.3, as the image says itself
version_of() {
  label=$(docker image inspect --format '{{index .Config.Labels "org.opencontainers.image.version"}}' "$1") || return 1
  [ -z "$label" ] || printf 'v%s\n' "${label#v}"
}

# repository_of IMAGE: prints it without tag and digest; a port in the registry's name is no tag
repository_of() {
  name=${1%@*}
  case ${name##*/} in *:*) name=${name%:*} ;; esac
  printf '%s\n' "$name"
}

# get_image IMAGE: sees that this machine has it, and sets $digest to what a registry calls it. What is pinned
# and here already is not asked for again, so that going back needs no network.
get_image() {
  case $1 in
    sha256:*) image_id "$1" >/dev/null && digest=$1 && return 0 ;;
    *@sha256:*) image_id "$1" >/dev/null && digest=${1#*@} && return 0 ;;
  esac
  log "runs: docker pull $1"
  if ! said=$(docker pull "$1" 2>&1 </dev/null); then
    log "$said"
    said=$(printf '%s\n' "$said" | tail -n 3 | redact)
    return 1
  fi
  log "$said"
  digest=$(printf '%s\n' "$said" | sed -n 's/^Digest: *//p')
  [ -n "$digest" ]
}

# probe CONTAINER [TIMES SECONDS]: asks the service in it, from inside, until it has answered TIMES in a row (1), for
# SECONDS at most (0). $version is its version, $ready the status of /ready, $lacking what that says is missing; or it
# fails, with $why. The waiting is inside, too: each call starts a process there.
probe() {
  if ! version=$(docker exec "$1" /nodejs/bin/node -e '
    const [times, seconds] = process.argv.slice(1).map(Number);
    const ask = (path) => fetch("http://127.0.0.1:8000" + path, { signal: AbortSignal.timeout(3000) });
    const pause = (ms) => new Promise((done) => setTimeout(done, ms));
    const look = async () => {
      const [health, ready] = await Promise.all([ask("/health"), ask("/ready")]);
      if (health.status !== 200) throw new Error("/health answered " + health.status);
      const { version } = await health.json();
      const { missing = [] } = await ready.json();
      const faults = missing.map(({ subject, problem, fix }) => subject + ": " + problem + ". " + fix);
      return [version + " " + ready.status, ...faults].join("\n");
    };
    const watch = async () => {
      for (let left = times, end = Date.now() + seconds * 1000; ; ) {
        try {
          const seen = await look();
          left -= 1;
          if (left === 0) return seen;
          await pause(300);
        } catch (error) {
          if (Date.now() >= end) throw error;
          left = times;
          await pause(100);
        }
      }
    };
    watch().then(console.log, (error) => { console.error(error.cause?.code ?? error.message); process.exit(1); });
    ' "${2:-1}" "${3:-0}" 2>&1); then
    why=$(printf '%s\n' "$version" | tail -n 1)
    return 1
  fi
  lacking=$(printf '%s\n' "$version" | sed 1d)
  version=$(printf '%s\n' "$version" | head -n 1)
  ready=${version##* }
  version=${version% *}
}

# state_of CONTAINER: prints its state, exit code and number of restarts
state_of() { docker inspect --format '{{.State.Status}} {{.State.ExitCode}} {{.RestartCount}}' "$1" 2>/dev/null; }

# wait_healthy CONTAINER: until the service in it answers `probe` twice in a row; $why says why it did not
wait_healthy() {
  until=$(($(date +%s) + wait_seconds))
  restarts=
  while :; do
    condition=$(state_of "$1") || condition='gone 0 0'
    restarts=${restarts:-${condition##* }}
    case $condition in
      running\ * | created\ *) ;;
      *)
        why=${condition#* }
        why="it ended with exit code ${why% *}"
        return 1
        ;;
    esac
    [ "${condition##* }" = "$restarts" ] || { why='it ended, and was started anew' && return 1; }
    left=$((until - $(date +%s)))
    # Where it ends, the call within it does, too.
    if probe "$1" 2 "$left"; then return 0; fi
    if [ "$left" -le 0 ]; then
      why="it did not get healthy within $wait_seconds seconds: $why"
      return 1
    fi
    sleep 0.3 2>/dev/null || sleep 1
  done
}

# last_words CONTAINER: the last lines of its log
last_words() { docker logs --tail 15 "$1" 2>&1 | redact; }

# address: prints where this machine reaches the service, http://127.0.0.1:8000
address() {
  bind=$(env_get THOTH_BIND)
  port=$(env_get PORT)
  case ${bind:-127.0.0.1} in
    0.0.0.0 | '[::]' | '::') bind=127.0.0.1 ;;
  esac
  printf 'http://%s:%s\n' "${bind:-127.0.0.1}" "${port:-8000}"
}

# fetch URL: prints what it answers with 200, or fails
fetch() {
  if command -v curl >/dev/null 2>&1; then
    curl --fail --silent --show-error --max-time 5 --noproxy '*' "$1" 2>&1
  else
    wget -q -T 5 -Y off -O - "$1" 2>&1
  fi
}

# failing_companion: whether a service of an overlay ends again and again: $companion is its container, $why what to say
failing_companion() {
  served=$(container)
  for companion in $(compose ps --all --quiet 2>/dev/null); do
    [ "$companion" != "$served" ] || continue
    since=$(docker inspect --format '{{.State.StartedAt}}' "$companion")
    sleep 1
    case $(docker inspect --format '{{.State.Status}} {{.State.StartedAt}}' "$companion") in
      "running $since" | exited\ *) continue ;;
    esac
    name=$(docker inspect --format '{{.Name}}' "$companion")
    why="${name#/} ends again and again."
    return 0
  done
  return 1
}

# start_service: starts what .env says and waits until it answers, from inside and from this machine; $why says
# why it does not
start_service() {
  if ! quietly compose up --detach --remove-orphans; then
    why="Docker could not start it: $said"
    return 1
  fi
  wait_healthy "$(container)" || return 1
  fetched=0
  until seen=$(fetch "$(address)/health"); do
    fetched=$((fetched + 1))
    [ "$fetched" -lt 5 ] || { why="$(address)/health does not answer: $seen" && return 1; }
    sleep 1
  done
}
