# shellcheck shell=sh
# The signature of a release, checked where cosign is installed. install.sh, which may be alone on a machine, has
# the same function; a test keeps them equal.

# check_signature IMAGE: whether the release's own workflow signed it; $why says why not
check_signature() {
  [ -z "${unsigned:-}" ] && command -v cosign >/dev/null 2>&1 || return 0
  if [ -n "${THOTH_COSIGN_KEY:-}" ]; then
    # What a key signs is logged nowhere.
    said=$(cosign verify --key "$THOTH_COSIGN_KEY" --insecure-ignore-tlog "$1" 2>&1 >/dev/null) && return 0
  else
    said=$(cosign verify --certificate-oidc-issuer https://token.actions.githubusercontent.com \
      --certificate-identity-regexp '^https://github.com/marcopancotti/thoth/\.github/workflows/docker-publish\.yml@refs/tags/v' \
      "$1" 2>&1 >/dev/null) && return 0
  fi
  why="The signature of $1 can not be verified: $(printf '%s\n' "$said" | tail -n 1)"
  return 1
}
