#!/bin/sh
# Finds a carnet binary, or downloads one and verifies its checksum. Writes its path to the output of the GitHub Actions step.
#
# Works in any image with a POSIX sh. A download needs curl, wget or python3. Git and Node are not needed. Environment variables:
#   CARNET_VERSION   X.Y.Z or path:/absolute/file; empty for the release of this checkout
#   CARNET_BASE_URL  base URL of the releases, for mirrors: https://, or file:/// for a directory
#   GH_TOKEN         token for gh, if installed, to verify the provenance of a release
set -eu

home=https://github.com/carnet-hep/carnet
here=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
work=

# Messages must not contain untrusted text: a line break would start another workflow command.
die() {
  printf '::error title=carnet::%s\n' "$1"
  exit 4
}

usage() {
  printf '::error title=carnet::%s\n' "$1"
  exit 2
}

has() { command -v "$1" >/dev/null 2>&1; }

found() {
  case $1 in
    *'
'*) usage "the path of the binary contains a line break" ;;
  esac
  if [ -n "${GITHUB_OUTPUT:-}" ]; then printf 'path=%s\n' "$1" >>"$GITHUB_OUTPUT"; else printf '%s\n' "$1"; fi
  exit 0
}

# Prints the version of a binary. Its output is one line: carnet X.Y.Z
version_of() { "$1" --version 2>/dev/null | sed -n '1s/^carnet \([0-9][0-9A-Za-z.+-]*\)$/\1/p'; }

get() {
  case $1 in file://*) cp "${1#file://}" "$2" && return 0 || return 1 ;; esac
  if has curl; then
    curl -fsSL --retry 3 --connect-timeout 30 --max-time 300 --proto '=https,http' -o "$2" "$1"
  elif has wget; then
    wget -q -T 60 -O "$2" "$1"
  else
    python3 -c '
import shutil, sys, urllib.request
try:
    with urllib.request.urlopen(sys.argv[1], timeout=60) as response, open(sys.argv[2], "wb") as file:
        shutil.copyfileobj(response, file)
except Exception as error:
    sys.exit(str(error))
' "$1" "$2"
  fi
}

sum() {
  if has sha256sum; then
    sha256sum "$1"
  elif has shasum; then
    shasum -a 256 "$1"
  else
    python3 -c 'import hashlib, sys; print(hashlib.sha256(open(sys.argv[1], "rb").read()).hexdigest())' "$1"
  fi | cut -d' ' -f1
}

# Sets dir to the directory of this version in the runner's tool cache, or in a writable temporary directory.
cache() {
  for top in "${RUNNER_TOOL_CACHE:-}" "${RUNNER_TEMP:-}" "${TMPDIR:-/tmp}"; do
    [ -n "$top" ] || continue
    dir=$top/carnet/$version/$triple
    if mkdir -p "$dir" 2>/dev/null && [ -w "$dir" ]; then return; fi
  done
  die "no writable directory for the binary: set RUNNER_TEMP to a writable directory"
}

# Reports whether an earlier step or job installed this version.
is_installed() { [ -x "$dir/carnet" ] && [ "$(version_of "$dir/carnet")" = "$version" ]; }

provenance() {
  [ -n "${GH_TOKEN:-}" ] && [ "$base" = "$home/releases/download" ] || return 0
  [ "${GITHUB_SERVER_URL:-https://github.com}" = https://github.com ] && has gh || return 0
  gh attestation verify --repo carnet-hep/carnet "$1" >/dev/null 2>&1 ||
    printf '::warning title=carnet::%s\n' "gh failed to verify the provenance of $name.tar.gz; its checksum is correct"
}

download() {
  [ "${base#file:}" != "$base" ] || has curl || has wget || has python3 ||
    die "none of curl, wget and python3 is installed in this image: set version to path:/absolute/file, or run the action outside of the container"
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  trap 'exit 130' HUP INT TERM
  get "$base/v$version/$name.tar.gz" "$work/archive" || die "failed to download carnet $version for $triple: check that this release exists"
  get "$base/v$version/sha256.sum" "$work/sums" || die "failed to download the checksums of carnet $version"
  wanted=$(sed -n "s/^\([0-9a-f]\{64\}\) [ *]$name\.tar\.gz\$/\1/p" "$work/sums")
  [ -n "$wanted" ] || die "the checksums of carnet $version do not include $name.tar.gz"
  [ "$(sum "$work/archive")" = "$wanted" ] || die "checksum mismatch for $name.tar.gz: the download is incomplete or was modified"
  provenance "$work/archive"
  tar -xzf "$work/archive" -C "$work" "$name/carnet" || die "failed to unpack $name.tar.gz: check that tar and gzip are installed"
  [ "$(version_of "$work/$name/carnet")" = "$version" ] || die "the binary in $name.tar.gz does not start or has a different version"
  # Jobs share the cache, so the binary is moved into place atomically.
  cp "$work/$name/carnet" "$dir/.carnet.$$"
  chmod 755 "$dir/.carnet.$$"
  mv -f "$dir/.carnet.$$" "$dir/carnet"
}

version=${CARNET_VERSION:-}
case $version in
  path:/*)
    binary=${version#path:}
    [ -f "$binary" ] && [ -x "$binary" ] || usage "version contains the path of a file that does not exist or is not executable"
    [ -n "$(version_of "$binary")" ] || usage "version contains the path of a file that is not carnet or does not start"
    found "$binary"
    ;;
  path:*) usage "invalid version; expected the absolute path of a binary: path:/absolute/file" ;;
  '') version=$(sed -n 's/^version = "\(.*\)"$/\1/p' "$here/Cargo.toml" | head -n 1) ;;
  v[0-9]*) version=${version#v} ;;
esac
case $version in
  *[!0-9A-Za-z.+-]* | [!0-9]* | '') usage "invalid version; expected X.Y.Z or path:/absolute/file" ;;
  [0-9]*.[0-9]*.[0-9]*) ;;
  *) usage "invalid version; expected X.Y.Z or path:/absolute/file" ;;
esac

case $(uname -s)/$(uname -m) in
  Linux/x86_64 | Linux/amd64) triple=x86_64-unknown-linux-gnu ;;
  Linux/aarch64 | Linux/arm64) triple=aarch64-unknown-linux-gnu ;;
  *) die "no carnet release for $(uname -s) on $(uname -m): use a Linux runner on x86-64 or 64-bit Arm" ;;
esac

base=${CARNET_BASE_URL:-$home/releases/download}
base=${base%/}
case $base in
  https://* | http://* | file:///*) ;;
  *) usage "invalid CARNET_BASE_URL; expected https:// or file:///" ;;
esac
name=carnet-v$version-$triple
cache
is_installed || download
found "$dir/carnet"
