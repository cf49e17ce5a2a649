#!/bin/sh
# Finds a carnet binary, or downloads one and checks it, and tells the step of GitHub Actions where it is.
#
# For any image: POSIX sh; curl, wget or python3 to download; no git, no Node. Told by the environment:
#   CARNET_VERSION   X.Y.Z, path:/absolute/file, or nothing for the release that this checkout is of
#   CARNET_BASE_URL  where releases are, for mirrors: https:// or, for a directory, file:///
#   GH_TOKEN         with it and the command gh, the provenance of a release is asked for
set -eu

home=https://github.com/carnet-hep/carnet
here=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
work=

# Never with text from outside: a line break would begin another command.
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
'*) usage "the path of the binary has a line break" ;;
  esac
  if [ -n "${GITHUB_OUTPUT:-}" ]; then printf 'path=%s\n' "$1" >>"$GITHUB_OUTPUT"; else printf '%s\n' "$1"; fi
  exit 0
}

# What a binary says of itself is one line: carnet X.Y.Z
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
    with urllib.request.urlopen(sys.argv[1], timeout=60) as answer, open(sys.argv[2], "wb") as file:
        shutil.copyfileobj(answer, file)
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

# The directory for this version in the runner's cache of tools, else in a temporary one that can be written to.
cache() {
  for top in "${RUNNER_TOOL_CACHE:-}" "${RUNNER_TEMP:-}" "${TMPDIR:-/tmp}"; do
    [ -n "$top" ] || continue
    dir=$top/carnet/$version/$triple
    if mkdir -p "$dir" 2>/dev/null && [ -w "$dir" ]; then return; fi
  done
  die "no directory for the binary can be written to: set RUNNER_TEMP to one"
}

# A binary that another step or job left is used when it says that it is this version.
known() { [ -x "$dir/carnet" ] && [ "$(version_of "$dir/carnet")" = "$version" ]; }

provenance() {
  [ -n "${GH_TOKEN:-}" ] && [ "$base" = "$home/releases/download" ] || return 0
  [ "${GITHUB_SERVER_URL:-https://github.com}" = https://github.com ] && has gh || return 0
  gh attestation verify --repo carnet-hep/carnet "$1" >/dev/null 2>&1 ||
    printf '::warning title=carnet::%s\n' "gh could not confirm where $name.tar.gz was built; its checksum is right"
}

download() {
  [ "${base#file:}" != "$base" ] || has curl || has wget || has python3 ||
    die "none of curl, wget and python3 is in this image: set version to path:/absolute/file of a binary, or run the action outside of the container"
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  trap 'exit 130' HUP INT TERM
  get "$base/v$version/$name.tar.gz" "$work/archive" || die "carnet $version can't be downloaded for $triple: is there such a release?"
  get "$base/v$version/sha256.sum" "$work/sums" || die "the checksums of carnet $version can't be downloaded"
  wanted=$(sed -n "s/^\([0-9a-f]\{64\}\) [ *]$name\.tar\.gz\$/\1/p" "$work/sums")
  [ -n "$wanted" ] || die "the checksums of carnet $version have none for $name.tar.gz"
  [ "$(sum "$work/archive")" = "$wanted" ] || die "$name.tar.gz has another checksum than its release says: it was cut off or changed on its way"
  provenance "$work/archive"
  tar -xzf "$work/archive" -C "$work" "$name/carnet" || die "$name.tar.gz can't be unpacked: are tar and gzip there?"
  [ "$(version_of "$work/$name/carnet")" = "$version" ] || die "the binary in $name.tar.gz does not start here, or is of another version"
  # Jobs share the cache: the binary is there whole or not at all.
  cp "$work/$name/carnet" "$dir/.carnet.$$"
  chmod 755 "$dir/.carnet.$$"
  mv -f "$dir/.carnet.$$" "$dir/carnet"
}

version=${CARNET_VERSION:-}
case $version in
  path:/*)
    binary=${version#path:}
    [ -f "$binary" ] && [ -x "$binary" ] || usage "version names a file that is not there or can't be executed"
    [ -n "$(version_of "$binary")" ] || usage "version names a file that is no carnet, or one that does not start here"
    found "$binary"
    ;;
  path:*) usage "version takes the absolute path of a binary: path:/absolute/file" ;;
  '') version=$(sed -n 's/^version = "\(.*\)"$/\1/p' "$here/Cargo.toml" | head -n 1) ;;
  v[0-9]*) version=${version#v} ;;
esac
case $version in
  *[!0-9A-Za-z.+-]* | [!0-9]* | '') usage "version is neither X.Y.Z nor path:/absolute/file" ;;
  [0-9]*.[0-9]*.[0-9]*) ;;
  *) usage "version is neither X.Y.Z nor path:/absolute/file" ;;
esac

case $(uname -s)/$(uname -m) in
  Linux/x86_64 | Linux/amd64) triple=x86_64-unknown-linux-gnu ;;
  Linux/aarch64 | Linux/arm64) triple=aarch64-unknown-linux-gnu ;;
  *) die "there is no binary of carnet for $(uname -s) on $(uname -m): use a Linux runner on x86-64 or 64-bit Arm" ;;
esac

base=${CARNET_BASE_URL:-$home/releases/download}
base=${base%/}
case $base in
  https://* | http://* | file:///*) ;;
  *) usage "CARNET_BASE_URL begins with neither https:// nor file:///" ;;
esac
name=carnet-v$version-$triple
cache
known || download
found "$dir/carnet"
