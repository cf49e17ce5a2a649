"""Makes verdicts.jsonl: what pip says of the wheels of locked packages on six kinds of machine.

    python make.py verdicts.jsonl            asks pip again about the recorded packages; no network
    python make.py verdicts.jsonl LOCK ...   takes the packages of uv.lock files instead

pip decides: `pip download --no-deps --only-binary=:all: --platform ... --python-version ... --implementation cp --abi ...`
chooses among stand-ins that have the names of the locked files, on a page that also tells each package's
Requires-Python, as an index does. A stand-in holds nothing but its metadata, so nothing is downloaded.

Requires-Python is taken from the metadata that uv keeps beside a lock (`UV_CACHE_DIR`), where it has it.
Of wheels for other machines than x86_64 Linux the first one a kind is kept: they all have to be refused.

A line: name, version, Requires-Python or null, files, and a verdict a combination, in the order of COMBINATIONS:
`w` pip takes a wheel, `-` it finds none.
"""

import html
import json
import multiprocessing
import os
import pathlib
import re
import sys
import tempfile
import tomllib
import zipfile

COMBINATIONS = [((2, 17), (3, 8)), ((2, 28), (3, 9)), ((2, 28), (3, 11)), ((2, 31), (3, 9)), ((2, 34), (3, 12)), ((2, 41), (3, 13))]
OLD_NAMES = {(2, 17): "manylinux2014", (2, 12): "manylinux2010", (2, 5): "manylinux1"}


def platforms(glibc):
    """The platform tags of x86_64 with this glibc, best first (PEP 600)."""
    found = []
    for minor in range(glibc[1], 4, -1):
        found.append(f"manylinux_2_{minor}_x86_64")
        old = OLD_NAMES.get((2, minor))
        if old:
            found.append(f"{old}_x86_64")
    return [*found, "linux_x86_64"]


def kind(file):
    """What files are one kind: of these the first is kept."""
    if not file.endswith(".whl"):
        return file
    platform = file[:-4].rsplit("-", 1)[1]
    if platform == "any" or "linux" in platform and platform.endswith("x86_64"):
        return file
    return re.sub(r"[0-9]+", "", platform)


def unpacked(data, at=0):
    """A value of MessagePack, of the kinds that uv writes for metadata, and the byte behind it."""
    head, at = data[at], at + 1
    if 0xA0 <= head <= 0xBF or head in (0xD9, 0xDA):
        width = {0xD9: 1, 0xDA: 2}.get(head, 0)
        length = int.from_bytes(data[at : at + width], "big") if width else head & 0x1F
        at += width
        return data[at : at + length].decode(), at + length
    if 0x90 <= head <= 0x9F or head == 0xDC:
        width = 2 if head == 0xDC else 0
        length = int.from_bytes(data[at : at + width], "big") if width else head & 0x0F
        at += width
        items = []
        for _ in range(length):
            item, at = unpacked(data, at)
            items.append(item)
        return items, at
    return {0xC0: None, 0xC2: False, 0xC3: True}[head], at


def requires(cache, name, version):
    """Requires-Python of a package from uv's cache: the field behind its list of requirements; None when it isn't there."""
    for path in sorted((cache / "wheels-v8" / "pypi" / name).glob(f"{version}-*.msgpack")):
        return unpacked(path.read_bytes())[0][3]
    return None


def packages(locks, cache):
    seen = {}
    for lock in locks:
        for package in tomllib.loads(pathlib.Path(lock).read_text())["package"]:
            if "registry" not in package["source"]:
                continue
            archives = [*package.get("wheels", []), *([package["sdist"]] if "sdist" in package else [])]
            files = {}
            for archive in archives:
                file = archive["url"].rsplit("/", 1)[1].replace("%2B", "+")
                files.setdefault(kind(file), file)
            name, version = package["name"], package["version"]
            seen[name, version] = [name, version, requires(cache, name, version), sorted(files.values())]
    return [seen[key] for key in sorted(seen)]


def stand_in(folder, name, version, file):
    path = folder / file
    with zipfile.ZipFile(path, "w") as wheel:
        project, version_part, *_ = file.split("-")
        info = f"{project}-{version_part}.dist-info"
        wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\n")
        wheel.writestr(f"{info}/RECORD", "")
    return path.as_uri()


def verdicts(package):
    from pip._internal.cli.main import main

    name, version, python, files = package
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        needs = f' data-requires-python="{html.escape(python)}"' if python else ""
        wheels = [file for file in files if file.endswith(".whl")]
        links = [f'<a href="{stand_in(folder, name, version, file)}"{needs}>{file}</a>' for file in wheels]
        page = folder / "page.html"
        page.write_text("<!DOCTYPE html><html><body>" + "\n".join(links) + "</body></html>")
        word = ""
        for glibc, (major, minor) in COMBINATIONS:
            arguments = ["download", "-qqq", "--no-deps", "--only-binary=:all:", "--no-index", "--no-cache-dir", "--find-links", str(page)]
            arguments += ["--python-version", f"{major}.{minor}", "--implementation", "cp"]
            arguments += [f"--abi={abi}" for abi in (f"cp{major}{minor}", "abi3", "none")]
            arguments += [f"--platform={platform}" for platform in platforms(glibc)]
            arguments += ["-d", str(folder / "out"), f"{name}=={version}"]
            word += "w" if main(arguments) == 0 else "-"
    return [*package, word]


def run(target, locks):
    os.environ.pop("PIP_FIND_LINKS", None)
    os.environ["PIP_DISABLE_PIP_VERSION_CHECK"] = "1"
    target = pathlib.Path(target)
    if locks:
        rows = packages(locks, pathlib.Path(os.environ.get("UV_CACHE_DIR", "~/.cache/uv")).expanduser())
    else:
        rows = [json.loads(line)[:4] for line in target.read_text().splitlines()]
    with multiprocessing.Pool(2) as pool:
        done = pool.map(verdicts, rows, chunksize=8)
    target.write_text("".join(json.dumps(row, separators=(",", ":")) + "\n" for row in done))


if __name__ == "__main__":
    run(sys.argv[1], sys.argv[2:])
