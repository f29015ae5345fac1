#!/bin/sh
# The Dagger module on a real engine: every function called, a failure planted for each gate, a release
# published into a registry and read back, times printed. Run by `make test-dagger`.
#
# Settings: REGISTRY_SERVICE=tcp://HOST:PORT, a registry without TLS to publish into. Unset, Debian's
# docker-registry is started for it; where that is missing too, those steps are counted as not run.
# Exit code: 0 all passed, 1 something failed or was not run, 69 there is no dagger.
set -u

if ! command -v dagger >/dev/null 2>&1; then
  echo 'not run: no dagger CLI' >&2
  exit 69
fi

cd "$(dirname "$0")/.." || exit 1
tag=v0.0.1
work=$(mktemp -d)
registry_pid=
passed=0
failed=0
not_run=0

clean_up() {
  [ -z "$registry_pid" ] || kill "$registry_pid" 2>/dev/null
  rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 130' INT TERM

# report WHAT SECONDS RESULT: RESULT is ok, or why not
report() {
  if [ "$3" = ok ]; then
    passed=$((passed + 1))
    printf 'ok      %4d s  %s\n' "$2" "$1"
  else
    failed=$((failed + 1))
    printf 'FAILED  %4d s  %s: %s\n' "$2" "$1" "$3"
    tail -n 30 "$work/err" | sed 's/^/        | /'
  fi
}

# expect CODE PATTERN WHAT COMMAND...: CODE may be "not0"; PATTERN (grep -E) must be in the output; "" is any
expect() {
  want=$1 pattern=$2 what=$3
  shift 3
  begun=$(date +%s)
  "$@" >"$work/out" 2>"$work/err"
  code=$?
  seconds=$(($(date +%s) - begun))
  result=ok
  if [ "$want" = not0 ]; then
    [ "$code" -ne 0 ] || result='exit code 0, and a failure was planted'
  elif [ "$code" -ne "$want" ]; then
    result="exit code $code in place of $want"
  fi
  if [ "$result" = ok ] && [ -n "$pattern" ] && ! cat "$work/out" "$work/err" | grep -Eq -- "$pattern"; then
    result="the output does not say $pattern"
  fi
  report "$what" "$seconds" "$result"
}

skip() {
  not_run=$((not_run + 1))
  printf 'NOT RUN         %s: %s\n' "$1" "$2"
}

# plant NAME: a clone of HEAD to break something in; its path is printed
plant() {
  git clone -q --no-hardlinks . "$work/$1" && echo "$work/$1"
}

echo "dagger $(dagger version 2>/dev/null | cut -d' ' -f2), commit $(git rev-parse --short HEAD)"

# Every function. The first call also loads the module, so it is the cold one.
expect 0 'publish' 'functions (cold)' dagger functions
expect 0 'publish' 'functions (warm)' dagger functions
expect 0 '^v1\.0\.1$' 'tags' dagger call tags --tag v1.0.1 --existing v1.0.0,v2.0.0
expect 0 '' 'build (cold)' dagger call build --platform linux/amd64 sync
expect 0 '' 'build (warm)' dagger call build --platform linux/amd64 sync
expect 0 '' 'build arm64' dagger call build --platform linux/arm64 sync
expect 0 '' 'layout' dagger call -o "$work/layout" layout --tag "$tag"
expect 0 '' 'lint' dagger call lint
expect 0 'fail 0' 'test' dagger call test
expect 0 '' 'policy' dagger call policy --layout "$work/layout"
expect 0 '' 'scan' dagger call scan --layout "$work/layout"
expect 0 'CycloneDX' 'sbom' dagger call sbom --platform linux/arm64 --layout "$work/layout" contents
expect 0 "$tag" 'notes' dagger call notes --tag "$tag" --layout "$work/layout" contents
expect 0 '0\.0\.1' 'changelog' dagger call changelog --tag "$tag" contents
expect 0 '' 'serve' dagger call serve start
expect 0 '' 'check' dagger check
expect 0 '' 'rehearse (cold)' dagger call -o "$work/release" rehearse --tag "$tag"
expect 0 'sha256:' 'rehearse left plan.json' cat "$work/release/plan.json"
expect 0 '' 'rehearse (warm)' dagger call rehearse --tag "$tag" entries

# Somebody else's project: the Python example as a repository of its own, and once for one platform alone, which an
# engine exports in another form. What is known of Python's image by now must not stop it.
own=$work/greeter one=$work/one
# configure FOLDER JSON: puts keys into its thoth-release.json, and commits all that is there
configure() {
  node -e '
    const { readFileSync, writeFileSync } = require("node:fs");
    const [, file, keys] = process.argv;
    writeFileSync(file, JSON.stringify({ ...JSON.parse(readFileSync(file)), ...JSON.parse(keys) }));
  ' "$1/thoth-release.json" "$2" &&
    git -C "$1" add . && git -C "$1" -c user.name=t -c user.email=t@t commit -q -m 'feat: greet'
}
mkdir "$own" && git archive HEAD:examples/python | tar -xf - -C "$own" &&
  git -C "$own" init -q && configure "$own" '{"scan":{"severity":["UNKNOWN"]}}'
git clone -q --no-hardlinks "$own" "$one" && configure "$one" '{"platforms":["linux/amd64"]}'
expect 0 '' 'own image: build' dagger call --source "$own" build --platform linux/arm64 sync
expect 0 '' 'own image: serve' dagger call --source "$own" serve start
expect 0 '' 'own image: rehearse' dagger call -o "$work/own" --source "$own" rehearse --tag "$tag"
expect 0 'ada/greeter' 'own image: its plan' cat "$work/own/plan.json"
expect 0 '"PYTHON_IMAGE"' 'own image: its base in the plan' cat "$work/own/plan.json"
expect 0 'linux/amd64' 'own image: one platform' dagger call --source "$one" rehearse --tag "$tag" file --path plan.json contents
expect not0 'no npm packages' 'own image: lint' dagger call --source "$own" lint
expect not0 '--engine' 'own image: no engine' dagger call --engine "$own" --source "$own" tags --tag "$tag"

# A failure planted for each gate. The exit codes are those of docs/DAGGER.md.
expect 2 'semantic version' 'gate: an invalid version' dagger call tags --tag nonsense
expect not0 'registryToken' 'gate: no credentials' dagger call publish --tag "$tag"
bad=$(plant style) && printf 'export const a =   1\n' >"$bad/src/release/planted.ts"
expect not0 'planted' 'gate: lint' dagger call --source "$bad" lint
bad=$(plant tests) && printf "throw new Error('planted');\n" >"$bad/test/planted.test.ts"
expect not0 'planted' 'gate: test' dagger call --source "$bad" test
bad=$(plant root) && printf 'USER 0:0\n' >>"$bad/Dockerfile"
expect 4 'user' 'gate: policy' dagger call --source "$bad" policy
# Made up here, so that no scanner of the repository takes it for a real key.
bad=$(plant secret) && printf 'ENV AWS_ACCESS_KEY_ID=%s%s\n' AKIA QWERTYUIOPASDFGH >>"$bad/Dockerfile"
expect 3 '' 'gate: scan' dagger call --source "$bad" scan

# A registry that outlives a call: published, published again, read back, refused.
if [ -z "${REGISTRY_SERVICE:-}" ] && command -v docker-registry >/dev/null 2>&1; then
  port=$(node -e 's=require("net").createServer().listen(0,"127.0.0.1",()=>{console.log(s.address().port);s.close()})')
  cat >"$work/registry.yml" <<CONFIG
version: 0.1
storage: { filesystem: { rootdirectory: $work/registry } }
http: { addr: 127.0.0.1:$port }
CONFIG
  docker-registry serve "$work/registry.yml" >"$work/registry.log" 2>&1 &
  registry_pid=$!
  REGISTRY_SERVICE=tcp://127.0.0.1:$port
fi
if [ -n "${REGISTRY_SERVICE:-}" ]; then
  service=$REGISTRY_SERVICE
  expect not0 'signKey' 'gate: nobody signs' dagger call --registry-service "$service" publish --tag "$tag"
  expect 0 "$tag" 'plan' dagger call --sign none --registry-service "$service" plan --tag "$tag" contents
  expect 0 "$tag" 'publish --dry-run' dagger call --registry-service "$service" publish --tag "$tag" --dry-run
  expect 0 "$tag" 'publish (first)' dagger call --sign none --registry-service "$service" publish --tag "$tag"
  expect 0 "$tag" 'publish (again)' dagger call --sign none --registry-service "$service" publish --tag "$tag"
  expect 0 "$tag" 'verify' dagger call --sign none --registry-service "$service" verify --tag "$tag"
  expect 0 'linux|arm64' 'read back by another program' \
    curl -fsS -H 'Accept: application/vnd.oci.image.index.v1+json' \
    "http://${service#tcp://}/v2/marcopancotti/thoth/manifests/$tag"
  expect 0 "$tag" 'own image: publish' \
    dagger call --sign none --source "$own" --registry-service "$service" publish --tag "$tag"
  expect 0 "$tag" 'own image: verify' \
    dagger call --sign none --source "$own" --registry-service "$service" verify --tag "$tag"
  expect 0 'next' 'promote' dagger call --registry-service "$service" promote --to "$tag" --channel next
  expect 0 '' 'rollback --dry-run' dagger call --registry-service "$service" rollback --to "$tag" --dry-run
  expect 0 "$tag" 'rescan' dagger call --registry-service "$service" rescan
  expect not0 'githubToken' 'gate: an issue without a token' \
    dagger call --registry-service "$service" rescan --issue
  bad=$(plant immutable) && git -C "$bad" -c user.name=t -c user.email=t@t commit -q --allow-empty -m 'fix: planted'
  expect 6 "$tag" 'gate: an immutable tag' \
    dagger call --sign none --source "$bad" --registry-service "$service" publish --tag "$tag"
  expect not0 '' 'gate: a release that is not there' \
    dagger call --registry-service "$service" verify --tag v9.9.9
else
  skip 'plan, publish, verify, promote, rollback, the immutable tag' \
    'set REGISTRY_SERVICE=tcp://HOST:PORT or install docker-registry'
fi

printf '%d passed, %d failed, %d not run\n' "$passed" "$failed" "$not_run"
[ "$failed" -eq 0 ] && [ "$not_run" -eq 0 ]
