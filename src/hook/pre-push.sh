#!/bin/sh
# carnet hook 1: written by `carnet hook install`, taken away by `carnet hook remove`.
# Skip it once with CARNET_SKIP=1 git push, or every hook with git push --no-verify.
lines=$(cat)
again() { if [ -n "$lines" ]; then printf '%s\n' "$lines"; fi; }

carnet=@PROGRAM@
[ -x "$carnet" ] || carnet=$(command -v carnet) || carnet=
if [ -n "$carnet" ]; then
    again | "$carnet" hook run pre-push@OPTIONS@ -- "$@" || exit $?
else
    echo 'carnet: the program is gone, so nothing was checked: install it anew, or remove this hook: '"$0" >&2
fi

# The hook that was here before gets the same arguments and the same lines.
before=$0@BEFORE@
[ -x "$before" ] || exit 0
again | "$before" "$@"
