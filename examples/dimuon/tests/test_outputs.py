"""Counting and writing, on numbers made by hand."""
import json

import awkward as ak
import uproot

import dimuon


def test_yields():
    yields = dimuon.count(
        ak.Array([2, 0, 3, 1]), ak.Array([3.1, 90.0, 92.0]), ak.Array([45.0])
    )
    assert yields == {
        "events": 4,
        "events_with_dimuon": 2,
        "opposite_sign_pairs": 3,
        "same_sign_pairs": 1,
        "z_candidates": 2,
        "z_mean_mass": 91.0,
    }


def test_outputs_can_be_read_back(tmp_path):
    h = dimuon.mass_histogram(ak.Array([3.1, 91.0, 91.5, 500.0]), "mass [GeV]")
    dimuon.write_outputs(tmp_path / "out", {"events": 4}, {"mass_opposite": h})
    assert json.loads((tmp_path / "out" / "yields.json").read_text()) == {"events": 4}
    with uproot.open(tmp_path / "out" / "hists.root") as file:
        values, edges = file["mass_opposite"].to_numpy()
        overflow = file["mass_opposite"].values(flow=True)[-1]
    assert values.sum() == 3 and overflow == 1
    assert edges[0] == 0 and edges[-1] == 120
