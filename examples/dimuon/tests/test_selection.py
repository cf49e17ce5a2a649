"""The selection on muons made by hand."""
import awkward as ak
import numpy as np
import pytest
from coffea.nanoevents.methods import vector

import dimuon

MUON_MASS = 0.10566


def muons(*events):
    """Events of muons, each muon a tuple (pt, eta, phi, charge)."""
    columns = {
        name: ak.Array([[m[i] for m in event] for event in events])
        for i, name in enumerate(["pt", "eta", "phi", "charge"])
    }
    columns["mass"] = ak.full_like(columns["pt"], MUON_MASS)
    columns["mediumId"] = columns["pt"] > 0
    return ak.zip(columns, with_name="PtEtaPhiMLorentzVector", behavior=vector.behavior)


def test_pt_cut():
    selected = dimuon.select_muons(muons([(4.9, 0.0, 0.0, 1), (5.1, 0.0, 0.0, 1)]))
    assert ak.to_list(selected.pt) == [[5.1]]


def test_eta_cut_is_symmetric():
    selected = dimuon.select_muons(
        muons([(20.0, -2.5, 0.0, 1), (20.0, -2.3, 0.0, 1)], [(20.0, 2.5, 0.0, 1)])
    )
    assert ak.to_list(selected.eta) == [[-2.3], []]


def test_medium_id():
    mu = muons([(20.0, 0.0, 0.0, 1), (30.0, 0.0, 0.0, 1)])
    mu = ak.with_field(mu, mu.pt > 25, "mediumId")
    assert ak.to_list(dimuon.select_muons(mu).pt) == [[30.0]]


def test_pairs_by_charge():
    opposite, same = dimuon.muon_pairs(
        muons([(9.0, 0.0, 0.0, 1), (8.0, 0.5, 1.0, 1), (7.0, 1.0, 2.0, -1)], [(9.0, 0.0, 0.0, 1)])
    )
    assert ak.to_list(ak.num(opposite)) == [2, 0]
    assert ak.to_list(ak.num(same)) == [1, 0]


def test_mass_of_back_to_back_pair():
    opposite, _ = dimuon.muon_pairs(muons([(45.6, 0.0, 0.0, 1), (45.6, 0.0, np.pi, -1)]))
    expected = 2 * np.sqrt(45.6**2 + MUON_MASS**2)
    assert ak.to_list(dimuon.pair_mass(opposite)) == pytest.approx([expected])


def test_mass_of_collinear_pair():
    opposite, _ = dimuon.muon_pairs(muons([(30.0, 1.0, 0.5, 1), (30.0, 1.0, 0.5, -1)]))
    assert ak.to_list(dimuon.pair_mass(opposite)) == pytest.approx([2 * MUON_MASS], rel=1e-3)


def test_z_window_is_half_open():
    mass = np.array([59.99, 60.0, 91.2, 119.99, 120.0])
    assert dimuon.in_window(mass).tolist() == [False, True, True, True, False]
