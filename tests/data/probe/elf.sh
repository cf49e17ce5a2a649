#!/bin/bash
# Makes a small shared library that defines versions as libstdc++ does. Needs gcc.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
echo 'int a(void) { return 1; } int b(void) { return 2; } int c(void) { return 3; }' >lib.c
cat >lib.map <<'MAP'
GLIBCXX_3.4.9 { global: a; local: *; };
GLIBCXX_3.4.30 { global: b; } GLIBCXX_3.4.9;
CXXABI_1.3.13 { global: c; };
CXXABI_TM_1 { };
MAP
gcc -shared -nostdlib -s -Wl,--version-script=lib.map,--build-id=none -Wl,-z,noseparate-code -o lib.so lib.c
zstd -q -19 -f lib.so -o "$here/libversion.so.zst"
