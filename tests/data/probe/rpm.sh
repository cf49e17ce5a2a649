#!/bin/bash
# Makes the rpm databases of this directory: the same packages in rpm's three formats, and the list that rpm itself
# gives of them. Run as root:
#
#   rpm.sh BULLSEYE TRIXIE
#
# BULLSEYE and TRIXIE are root directories of a Debian 11 and a Debian 13 with the package rpm: the last release whose
# rpm writes Berkeley DB, and the first whose rpm writes ndb. The sqlite database is written by this machine's rpm.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

{
  cat <<'SPEC'
Name: carnet-fixture
Epoch: 2
Version: 1.4
Release: 3.el9
Summary: fixture
License: MIT
Vendor: Fixture Project
%description
fixture
%install
for n in $(seq 500); do
  mkdir -p %{buildroot}/usr/share/carnet-fixture/$((n / 100))
  echo $n > %{buildroot}/usr/share/carnet-fixture/$((n / 100))/a-file-with-a-rather-long-name-$n
done
%files
/usr/share/carnet-fixture
SPEC
  # Enough packages for several pages, some without architecture; the first one is too large for one page.
  for n in $(seq 60); do
    echo "%package -n part-$n"
    echo "Summary: part $n"
    [ $((n % 3)) != 0 ] || echo "BuildArch: noarch"
    [ $((n % 5)) != 0 ] || echo "Version: $n.1"
    echo "%description -n part-$n"
    echo "part $n"
    echo "%files -n part-$n"
  done
} >fixture.spec
rpmbuild --quiet -bb --target x86_64-linux --define "_topdir $work/top" --define 'debug_package %{nil}' \
  --define '_build_id_links none' --define '_binary_payload w6.gzdio' fixture.spec

format='%{NAME}|%|EPOCH?{%{EPOCH}:}|%{VERSION}-%{RELEASE}|%{ARCH}|%{VENDOR}\n'
flags='--nodeps --ignorearch --ignoreos --nosignature --justdb'
# database BACKEND ROOT: a database in $work/root-BACKEND, written by the rpm of ROOT.
database() {
  mkdir -p "$2/tmp/fixture/root"
  cp top/RPMS/*/*.rpm "$2/tmp/fixture/"
  chroot "$2" sh -c "cd /tmp/fixture &&
    rpm --root /tmp/fixture/root --define '_db_backend $1' --dbpath /var/lib/rpm --initdb &&
    rpm --root /tmp/fixture/root --define '_db_backend $1' --dbpath /var/lib/rpm -i $flags *.rpm"
  mv "$2/tmp/fixture/root" "root-$1"
  rm -r "$2/tmp/fixture"
}
database sqlite /
database bdb "$1"
database ndb "$2"
rpm --root "$work/root-sqlite" --dbpath /var/lib/rpm -qa --qf "$format" | LC_ALL=C sort >"$here/rpm.txt"

zstd -q -19 -f root-sqlite/var/lib/rpm/rpmdb.sqlite -o "$here/rpmdb.sqlite.zst"
zstd -q -19 -f root-ndb/var/lib/rpm/Packages.db -o "$here/Packages.db.zst"
zstd -q -19 -f root-bdb/var/lib/rpm/Packages -o "$here/Packages.zst"
ls -l "$here"
