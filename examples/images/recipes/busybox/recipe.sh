# shellcheck shell=bash
# The smallest image that runs anything: busybox, root and one user. No python.
build() {
  mkdir -p "$root"/{bin,dev,etc,home/analyst,proc,root,sys,tmp,usr/bin}
  chmod 1777 "$root/tmp"
  chmod 700 "$root/root"
  step "busybox" busybox_into "$root"
  cp "$recipe"/{passwd,group,os-release} "$root/etc/"
  chown 1000:1000 "$root/home/analyst"
  # #!/usr/bin/env is the one path outside of /bin that scripts count on.
  ln -s ../../bin/busybox "$root/usr/bin/env"
  layer "busybox" .
  config --config.env PATH=/usr/bin:/bin --config.env LANG=C.UTF-8 --config.cmd /bin/sh
}
