#!/bin/bash
# lock.sh NAME PYTHON [OPTION...]: write recipes/NAME/requirements.lock from its requirements.in.
# Needs uv and network. OPTIONs go to `uv pip compile`, such as --exclude-newer DATE.
set -eu
dir=$(cd "$(dirname "$0")" && pwd)/recipes/$1
python=$2
shift 2
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
uv pip compile -q --python-version "$python" --python-platform x86_64-manylinux_2_28 --only-binary :all: \
  --generate-hashes --no-annotate --no-header "$@" "$dir/requirements.in" -o "$tmp/all"
# uv names the hashes of every file of a release; one is used. pip says which
# (without checking against the python it runs on itself).
platforms=()
for minor in $(seq 5 28); do platforms+=(--platform "manylinux_2_${minor}_x86_64"); done
platforms+=(--platform manylinux2014_x86_64 --platform manylinux2010_x86_64 --platform manylinux1_x86_64)
/usr/bin/python3 -m pip install -q --disable-pip-version-check --dry-run --ignore-installed --report "$tmp/report" \
  --no-deps --require-hashes --ignore-requires-python --only-binary=:all: --python-version "$python" "${platforms[@]}" \
  --target "$tmp/none" -r "$tmp/all"
python3 - "$tmp/report" >"$dir/requirements.lock" <<'PY'
import json, sys
rows = (
    (i["metadata"]["name"].lower().replace("_", "-"), i["metadata"]["version"],
     i["download_info"]["archive_info"]["hashes"]["sha256"])
    for i in json.load(open(sys.argv[1]))["install"]
)
for name, version, digest in sorted(rows):
    print(f"{name}=={version} --hash=sha256:{digest}")
PY
