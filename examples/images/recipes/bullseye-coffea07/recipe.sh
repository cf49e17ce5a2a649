# shellcheck shell=bash
# A facility that stayed on coffea 0.7 and awkward 1, installed the old way: pip, as root,
# straight into /usr/local of the system's python. Its entrypoint is a set-up script.
build() {
  local fetch
  fetch_wheels 3.9 >"$tmp/fetch.log" 2>&1 &
  fetch=$!
  debian bullseye python3 python3-pip ca-certificates
  install -m 755 "$recipe/setup-env.sh" "$root/usr/local/bin/setup-env.sh"
  layer "debian bullseye" .
  await "wheels (rest of the download)" "$fetch" "$tmp/fetch.log" "$(now)"
  install_wheels python3 /usr/local/lib/python3.9/dist-packages
  layer "python packages" ./usr/local
  config --config.env PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    --config.env LANG=C.UTF-8 --config.entrypoint /usr/local/bin/setup-env.sh --config.cmd /bin/bash
}
