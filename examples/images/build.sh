#!/bin/bash
# build.sh [NAME...]: make the facility images of the examples, each an OCI layout
# ${CARNET_IMAGES:-<repository>/target/images}/NAME, tag "latest".
# Runs as root on Debian 12 without a container engine. Without a NAME, all recipes.
# An image whose recipe, lock and scripts did not change is left alone; --force makes it anew.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
out=${CARNET_IMAGES:-$(cd "$here/../.." && pwd)/target/images}
# One fixed date for file times and image configs, so that a rebuild differs as little as it can.
export SOURCE_DATE_EPOCH=1735689600
created=$(date -u -d "@$SOURCE_DATE_EPOCH" +%Y-%m-%dT%H:%M:%SZ)
export LC_ALL=C.UTF-8

# shellcheck source=lib.sh
. "$here/lib.sh"

force=
names=()
for a in "$@"; do
  case $a in
    --force) force=1 ;;
    -h | --help) sed -n '2,5s/^# //p' "$0"; exit 0 ;;
    *) names+=("$a") ;;
  esac
done
if [ ${#names[@]} = 0 ]; then
  for d in "$here"/recipes/*/; do names+=("$(basename "$d")"); done
fi

# Everything that decides what an image holds. Reading it is all that an unchanged image costs.
key_of() {
  cat "$here/build.sh" "$here/lib.sh" "$here/recipes/$1"/* | sha256sum | cut -d' ' -f1
}

todo=()
for name in "${names[@]}"; do
  [ -f "$here/recipes/$name/recipe.sh" ] || die "no recipe for an image named '$name'"
  if [ -z "$force" ] && [ -f "$out/$name/index.json" ] &&
    [ "$(cat "$out/$name.key" 2>/dev/null)" = "$(key_of "$name")" ]; then
    say "$name: up to date"
  else
    todo+=("$name")
  fi
done
[ ${#todo[@]} != 0 ] || exit 0

[ "$(id -u)" = 0 ] || die "root is needed to make images (chroot, file owners)"
mkdir -p "$out"
# Two runs at once would share the apt lock and the image directories.
exec 9>"$out/.lock"
flock 9
for d in "$out"/.build-*; do # what a killed run left
  [ -d "$d" ] || continue
  umount_below "$d"
  rm -rf --one-file-system "$d"
done
install_tools

tmp=""
job=""
cleanup() {
  # The whole group: mmdebstrap, pip and the download beside them write below $tmp.
  if [ -n "$job" ] && kill -TERM -- "-$job" 2>/dev/null; then wait "$job" || true; fi
  [ -z "$tmp" ] || { umount_below "$tmp"; rm -rf --one-file-system "$tmp"; }
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

for name in "${todo[@]}"; do
  t0=$(now)
  # Below $out, so that the last step is a rename in one file system.
  tmp=$(mktemp -d "$out/.build-$name-XXXXXX")
  chmod 755 "$tmp"
  key=$(key_of "$name")
  # A subshell keeps a recipe's functions from the next one; job control (set -m) makes it a
  # process group, and as a background job it lets a signal be served at once.
  set -m
  (
    set +m
    trap - EXIT INT TERM HUP
    root=$tmp/root image=$tmp/image recipe=$here/recipes/$name
    umoci init --layout "$image"
    umoci new --image "$image:latest"
    # shellcheck source=/dev/null
    . "$recipe/recipe.sh"
    build
    finish_image
  ) &
  job=$!
  set +m
  wait "$job" # set -e ends the script here when it failed
  job=
  rm -f "$out/$name.key"
  [ ! -e "$out/$name" ] || mv "$out/$name" "$tmp/old"
  mv "$tmp/image" "$out/$name"
  echo "$key" >"$out/$name.key"
  umount_below "$tmp"
  rm -rf --one-file-system "$tmp"
  tmp=
  say "$name: done, $(du -sm "$out/$name" | cut -f1) MB, $(since "$t0") s"
done
