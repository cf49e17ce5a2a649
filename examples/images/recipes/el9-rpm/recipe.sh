# shellcheck shell=bash
# A tiny root file system with the package database of an Enterprise Linux 9 node (rpm, sqlite).
# The packages are made here from packages.txt and hold one small file each; busybox runs the commands.
build() {
  mkdir -p "$root"/{bin,dev,etc,home/analyst,proc,root,sys,tmp,usr/bin,var/lib/rpm}
  chmod 1777 "$root/tmp"
  chown 1000:1000 "$root/home/analyst"
  step "busybox" busybox_into "$root"
  cp "$recipe"/{passwd,group,os-release,redhat-release} "$root/etc/"
  ln -s ../../bin/busybox "$root/usr/bin/env"
  layer "busybox" .
  step "rpm packages" make_rpms
  step "rpm database" fill_database
  layer "el9 packages" ./var/lib/rpm ./usr/share
  config --config.env PATH=/usr/bin:/bin --config.env LANG=C.UTF-8 --config.cmd /bin/sh
}

# packages.txt: name epoch version release architecture licence, epoch "-" for none.
make_rpms() {
  local n e v r a l
  while read -r n e v r a l; do
    case $n in '' | '#'*) continue ;; esac
    {
      echo "Name: $n"
      [ "$e" = - ] || echo "Epoch: $e"
      printf '%s\n' "Version: $v" "Release: $r" "License: $l" "Vendor: AlmaLinux" \
        "Summary: The $n package" "%description" "Example package." "%install" \
        "mkdir -p %{buildroot}/usr/share/doc/$n" "echo '$n $v-$r' > %{buildroot}/usr/share/doc/$n/README" \
        "%files" "/usr/share/doc/$n"
    } >"$tmp/$n.spec"
    # No debug packages; a gzip payload, which every rpm can read; nothing of this machine in the header.
    rpmbuild --quiet -bb --target "$a-linux" --define "_topdir $tmp/rpm" --define 'debug_package %{nil}' \
      --define '_binary_payload w6.gzdio' --define '__os_install_post %{nil}' --define '_buildhost example' \
      --define 'use_source_date_epoch_as_buildtime 1' --define '_build_id_links none' "$tmp/$n.spec"
  done <"$recipe/packages.txt"
}

fill_database() {
  # --root makes rpm chroot; --dbpath because Debian's default is the caller's home.
  rpm --root "$root" --dbpath /var/lib/rpm --initdb
  rpm --root "$root" --dbpath /var/lib/rpm -i --nodeps --ignorearch --ignoreos --nosignature "$tmp"/rpm/RPMS/*/*.rpm
  rm -f "$root"/var/lib/rpm/.*.lock
  [ -s "$root/var/lib/rpm/rpmdb.sqlite" ]
}
