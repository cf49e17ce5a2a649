#!/usr/bin/env python3
"""Compare modules.toml with the packages of the running Python environment.

Install the packages of interest into a virtual environment, then run this script with its Python. It prints modules
that the table doesn't list and modules that the table assigns to another distribution, and exits with 1 if there are
any. Needs Python 3.11 or newer.
"""

import pathlib
import re
import sys
import tomllib
from importlib.metadata import packages_distributions


def normalized(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def main():
    table = tomllib.loads(pathlib.Path(__file__).with_name("modules.toml").read_text())
    known = {name: name for name in table["same-name"]} | table["distributions"]
    differences = []
    for module, distributions in sorted(packages_distributions().items()):
        names = {normalized(name) for name in distributions}
        if module.startswith("_") or not module.isidentifier():
            continue
        if module not in known:
            differences.append(f"{module}: missing (provided by {', '.join(sorted(names))})")
        elif normalized(known[module]) not in names:
            differences.append(f"{module}: {known[module]} in the table, {', '.join(sorted(names))} installed")
    print("\n".join(differences) or "modules.toml agrees with this environment")
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main())
