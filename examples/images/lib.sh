# shellcheck shell=bash
# Building blocks of the recipes. build.sh sets name, tmp, root (a root file system in the making),
# image (the OCI layout in the making), recipe (the recipe's directory) and created.
# shellcheck disable=SC2154,SC2016

say() { echo "$*" >&2; }
die() { say "build.sh: $*"; exit 1; }
now() { date +%s.%N; }
since() { awk -v a="$1" -v b="$(now)" 'BEGIN { printf "%.0f", b - a }'; }

# step TEXT COMMAND...: run with a progress line; the command's own words only when it fails.
# In the background, since bash ignores `set -e` within a function whose result is tested.
step() {
  local text=$1 t job log=$tmp/log
  shift
  t=$(now)
  "$@" >"$log" 2>&1 </dev/null &
  job=$!
  await "$text" "$job" "$log" "$t"
}

# await TEXT PID LOG START: wait for a background job of this shell.
await() {
  if ! wait "$2"; then
    tail -n 40 "$3" >&2
    die "$name: $1 failed after $(since "$4") s"
  fi
  say "$name: $1 ... $(since "$4") s"
}

umount_below() {
  awk -v d="$1/" 'index($5, d) == 1 { print $5 }' /proc/self/mountinfo | sort -r |
    while read -r m; do umount -l "$m" || true; done
}

install_tools() {
  local missing=() c p
  for c in mmdebstrap:mmdebstrap umoci:umoci rpmbuild:rpm; do
    p=${c#*:}
    command -v "${c%%:*}" >/dev/null || missing+=("$p")
  done
  # Debian's own python, not one that comes first on PATH: the script relies on its pip only.
  /usr/bin/python3 -m pip --version >/dev/null 2>&1 || missing+=(python3 python3-pip)
  [ ${#missing[@]} != 0 ] || return 0
  sh "$here/../../.ci/apt" "${missing[@]}"
}

# The mirror this machine's apt uses for Debian itself.
mirror() {
  local m
  m=$(apt-get indextargets --format '$(REPO_URI)' 'Codename: bookworm' 'Component: main' | head -n1)
  [ -n "$m" ] || die "apt has no source for bookworm main"
  echo "${m%/}"
}

# debian SUITE PACKAGE...: a minimal Debian in $root, without manuals and translations.
debian() {
  local suite=$1
  shift
  step "mmdebstrap $suite" mmdebstrap --mode=root --format=directory --variant=minbase \
    --include="$(IFS=,; echo "$*")" \
    --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
    --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-include=/usr/share/doc/*/copyright' \
    --dpkgopt=force-unsafe-io \
    --customize-hook='rm -f "$1/etc/resolv.conf" "$1/etc/hostname" "$1"/var/log/*.log "$1"/var/log/apt/*' \
    "$suite" "$root" "$(mirror)"
}

# layer COMMENT PATH...: add these paths of $root as one layer.
# Device nodes stay out: an ordinary user could not unpack them, and every engine brings its own /dev.
layer() {
  local comment=$1 t
  shift
  t=$(now)
  # pax for the extended attributes, but without what differs each time: access and change times, the pid.
  tar -cf "$tmp/layer.tar" -C "$root" --sort=name --numeric-owner --mtime="@$SOURCE_DATE_EPOCH" --clamp-mtime \
    --format=posix --xattrs --pax-option='exthdr.name=%d/PaxHeaders/%f,delete=atime,delete=ctime' \
    --exclude='./dev/*' --exclude='./proc/*' --exclude='./sys/*' --exclude='./tmp/*' "$@"
  umoci raw add-layer --image "$image:latest" --history.created "$created" \
    --history.created_by "$comment" "$tmp/layer.tar" >"$tmp/log" 2>&1 ||
    { cat "$tmp/log" >&2; die "$name: umoci add-layer failed"; }
  say "$name: layer '$comment', $(du -m "$tmp/layer.tar" | cut -f1) MB ... $(since "$t") s"
  rm "$tmp/layer.tar"
}

# config OPTION...: options of `umoci config`, such as --config.env NAME=VALUE.
config() {
  umoci config --image "$image:latest" --no-history --created "$created" \
    --architecture amd64 --os linux "$@"
}

finish_image() {
  # Each umoci call leaves the manifest and config before it behind.
  umoci gc --layout "$image" >/dev/null
  # umoci writes 0600 blobs in 0700 directories; images are to be read by anybody.
  chmod -R u=rwX,go=rX "$image"
}

# fetch_wheels PYTHON: download what requirements.lock names, for that python, into $tmp/wheels.
# Done outside of the image: no certificates, no network and no compiler are needed inside.
fetch_wheels() {
  local python=$1 minor platforms=()
  for minor in $(seq 5 28); do platforms+=(--platform "manylinux_2_${minor}_x86_64"); done
  platforms+=(--platform manylinux2014_x86_64 --platform manylinux2010_x86_64 --platform manylinux1_x86_64)
  /usr/bin/python3 -m pip download -q --no-cache-dir --disable-pip-version-check \
    --no-deps --require-hashes --only-binary=:all: --python-version "$python" \
    "${platforms[@]}" -d "$tmp/wheels" -r "$recipe/requirements.lock"
}

# in_root COMMAND...: run inside $root. The tmpfs is for semaphores, which older C libraries only
# make on one; in a mount namespace of its own it disappears by itself.
in_root() {
  mkdir -p "$root/dev/shm"
  env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 HOME=/root \
    SOURCE_DATE_EPOCH="$SOURCE_DATE_EPOCH" PYTHONHASHSEED=0 \
    unshare -m sh -c 'mount -t tmpfs tmpfs "$0/dev/shm" && exec chroot "$0" "$@"' "$root" "$@"
}

# install_wheels PYTHON DIRECTORY: install the downloaded wheels with that python of the image.
install_wheels() {
  local python=$1 dir=$2
  mv "$tmp/wheels" "$root/tmp/wheels"
  cp "$recipe/requirements.lock" "$root/tmp/requirements.lock"
  step "pip install" in_root "$python" -m pip install -q --no-cache-dir --disable-pip-version-check \
    --no-index --find-links /tmp/wheels --no-deps --no-compile --require-hashes -r /tmp/requirements.lock
  rm -rf "$root/tmp/wheels" "$root/tmp/requirements.lock"
  step "byte code" byte_code "$python" "$dir"
}

# The byte code is compiled here, once: in a read-only image nobody can save it later and each
# import would compile again. Hash-based, because layers do not keep file times precisely.
# compileall fails over files that packages carry for other pythons, so its result is looked at instead.
byte_code() {
  in_root "$1" -m compileall -q -j 2 --invalidation-mode unchecked-hash "$2" || true
  in_root "$1" -c 'import numpy, pathlib, sys; sys.exit(not [*pathlib.Path(numpy.__file__).parent.glob("__pycache__/*.pyc")])'
}

# python_image SUITE PYTHON PACKAGE...: Debian with a virtual environment /opt/venv of the locked packages.
python_image() {
  local suite=$1 python=$2 fetch
  shift 2
  fetch_wheels "$python" >"$tmp/fetch.log" 2>&1 &
  fetch=$!
  debian "$suite" python3 python3-venv ca-certificates "$@"
  layer "debian $suite" .
  step "venv" in_root python3 -m venv /opt/venv
  await "wheels (rest of the download)" "$fetch" "$tmp/fetch.log" "$(now)"
  install_wheels /opt/venv/bin/python /opt/venv
  layer "python packages" ./opt/venv
  config --config.env PATH=/opt/venv/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    --config.env LANG=C.UTF-8 --config.env VIRTUAL_ENV=/opt/venv --config.cmd /bin/bash
}

# busybox_into DIRECTORY: Debian's static busybox as /bin/busybox, with a link per applet.
busybox_into() {
  # As root in a private directory, which apt's own user cannot enter.
  (cd "$tmp" && apt-get -q -o APT::Sandbox::User=root download busybox-static)
  dpkg-deb --fsys-tarfile "$tmp"/busybox-static_*.deb |
    tar -x -C "$1" ./bin/busybox ./usr/share/doc/busybox-static/copyright
  local a
  for a in $("$1/bin/busybox" --list); do [ "$a" = busybox ] || ln -s busybox "$1/bin/$a"; done
}
