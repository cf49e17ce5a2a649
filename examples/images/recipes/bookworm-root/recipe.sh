# shellcheck shell=bash
# ROOT from the package index. Its interpreter compiles against the image's own C++ headers:
# without g++ and libc6-dev `import ROOT` still works, but nothing that is just-in-time compiled does.
build() { python_image bookworm 3.11 g++ libc6-dev make; }
