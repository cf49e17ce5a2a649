#!/bin/sh
# carnet hook 1: written by `carnet hook install`, removed by `carnet hook remove`.
# Skip it once with `CARNET_SKIP=1 git push`, or skip all hooks with `git push --no-verify`.
lines=$(cat)
print_lines() { if [ -n "$lines" ]; then printf '%s\n' "$lines"; fi; }

carnet=@PROGRAM@
[ -x "$carnet" ] || carnet=$(command -v carnet) || carnet=
if [ -n "$carnet" ]; then
    print_lines | "$carnet" hook run pre-push@OPTIONS@ -- "$@" || exit $?
else
    echo "carnet: executable not found, push not checked; reinstall carnet or remove the hook $0" >&2
fi

# The hook that existed before gets the same arguments and the same input.
previous=$0@BACKUP_SUFFIX@
[ -x "$previous" ] || exit 0
print_lines | "$previous" "$@"
