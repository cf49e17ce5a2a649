"""The macros as an analyst runs them, and what they wrote, read back with PyROOT."""
import json
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parents[1]


def run_macro(call, cwd=HERE):
    return subprocess.run(
        ["root", "-l", "-b", "-q", call], cwd=cwd, capture_output=True, text=True, timeout=240
    )


@pytest.fixture(scope="module")
def ROOT():
    # Imported late: the import takes a second and prints a notice.
    import ROOT

    ROOT.gROOT.SetBatch(True)
    return ROOT


@pytest.fixture(scope="module")
def spectrum(ROOT):
    """The functions of spectrum.C. A macro can be loaded once in a process."""
    ROOT.gROOT.LoadMacro(str(HERE / "spectrum.C"))
    return ROOT


def test_interpreter_compiles(ROOT):
    """Without C++ headers the import of ROOT still works; only compiling fails."""
    assert ROOT.gInterpreter.Declare(
        "#include <vector>\nint twice(int i) { return std::vector<int>(2, i).size() * i; }"
    )
    assert ROOT.twice(21) == 42


def test_spectrum_file(ROOT):
    done = run_macro("spectrum.C")
    assert done.returncode == 0, done.stderr
    with ROOT.TFile.Open(str(HERE / "out" / "spectrum.root")) as file:
        mass = file.Get("mass")
        assert mass.GetEntries() == 17
        assert mass.Integral(mass.FindBin(60), mass.FindBin(119.9)) == 6


def test_spectrum_without_input_fails():
    assert run_macro('spectrum.C("data/none.root")').returncode != 0


def test_zfit():
    done = run_macro("zfit.C")
    assert done.returncode == 0, done.stderr
    fit = json.loads((HERE / "out" / "zfit.json").read_text())
    assert fit["entries"] == 7000
    assert fit["mass"] == pytest.approx(91.19, abs=0.3)
    assert fit["chi2"] / fit["ndf"] < 2


def test_pair_mass(spectrum):
    floats = spectrum.RVec["float"]
    mass = spectrum.pairMass(
        floats([45.6, 45.6, 9.0]), floats([0.0] * 3), floats([0.0, 3.14159265, 1.0]), floats([0.10566] * 3)
    )
    assert mass == pytest.approx(91.2, abs=1e-3)


def test_opposite_charge(spectrum):
    charges = spectrum.RVec["int"]
    assert spectrum.oppositeCharge(charges([1, -1, 1]))
    assert not spectrum.oppositeCharge(charges([1, 1, -1]))
    assert not spectrum.oppositeCharge(charges([1]))
