"""The whole analysis on the file in data/."""
import json
import subprocess
import sys

import pytest

import dimuon

EXPECTED = {
    "events": 40,
    "events_with_dimuon": 22,
    "opposite_sign_pairs": 18,
    "same_sign_pairs": 8,
    "z_candidates": 6,
    "z_mean_mass": 87.236847,
}


def test_events():
    events = dimuon.load_events(dimuon.DATA)
    assert {"pt", "eta", "phi", "mass", "charge", "mediumId"} <= set(events.Muon.fields)


def test_yields_and_histograms():
    yields, hists = dimuon.analyze(dimuon.DATA)
    assert yields == pytest.approx(EXPECTED, rel=1e-5)
    assert hists["mass_opposite"].sum() == yields["opposite_sign_pairs"]
    assert hists["mass_same"].sum() == yields["same_sign_pairs"]


def test_command_line():
    """Also leaves out/ for whoever runs the tests."""
    script = dimuon.HERE / "dimuon.py"
    subprocess.run([sys.executable, str(script)], check=True, cwd=dimuon.HERE)
    written = json.loads((dimuon.HERE / "out" / "yields.json").read_text())
    assert written == pytest.approx(EXPECTED, rel=1e-5)
    assert (dimuon.HERE / "out" / "hists.root").stat().st_size > 0
