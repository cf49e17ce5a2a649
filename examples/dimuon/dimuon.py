#!/usr/bin/env python3
"""Opposite-sign dimuon mass spectrum of a NanoAOD file.

Writes OUT/yields.json (counts and the mean mass in the Z window) and OUT/hists.root.
"""
import argparse
import json
from pathlib import Path

import awkward as ak
import dask
import uproot
from coffea.nanoevents import NanoAODSchema, NanoEventsFactory
from hist import Hist

HERE = Path(__file__).resolve().parent
DATA = HERE / "data" / "nano_dimuon.root"
Z_WINDOW = (60.0, 120.0)


def load_events(path):
    return NanoEventsFactory.from_root(
        {str(path): "Events"}, schemaclass=NanoAODSchema
    ).events()


def select_muons(muons, min_pt=5.0, max_eta=2.4):
    return muons[(muons.pt > min_pt) & (abs(muons.eta) < max_eta) & muons.mediumId]


def muon_pairs(muons):
    """All pairs in an event, as (opposite sign, same sign)."""
    pairs = ak.combinations(muons, 2, fields=["first", "second"])
    opposite = pairs.first.charge != pairs.second.charge
    return pairs[opposite], pairs[~opposite]


def pair_mass(pairs):
    return ak.flatten((pairs.first + pairs.second).mass)


def in_window(mass, window=Z_WINDOW):
    low, high = window
    return (mass >= low) & (mass < high)


def mass_histogram(mass, label):
    h = Hist.new.Reg(60, 0, 120, name="mass", label=label).Double()
    h.fill(mass=ak.to_numpy(mass))
    return h


def count(n_muons, opposite, same):
    on_z = opposite[in_window(opposite)]
    return {
        "events": len(n_muons),
        "events_with_dimuon": int(ak.sum(n_muons >= 2)),
        "opposite_sign_pairs": len(opposite),
        "same_sign_pairs": len(same),
        "z_candidates": len(on_z),
        "z_mean_mass": float(ak.mean(on_z)) if len(on_z) else None,
    }


def analyze(path):
    """Yields and histograms of one file."""
    events = load_events(path)
    muons = select_muons(events.Muon)
    opposite, same = muon_pairs(muons)
    # Up to here nothing has been read: one pass over the file for everything.
    n_muons, opposite, same = dask.compute(
        ak.num(muons), pair_mass(opposite), pair_mass(same)
    )
    hists = {
        "mass_opposite": mass_histogram(opposite, "opposite-sign mass [GeV]"),
        "mass_same": mass_histogram(same, "same-sign mass [GeV]"),
    }
    return count(n_muons, opposite, same), hists


def write_outputs(out, yields, hists):
    out.mkdir(parents=True, exist_ok=True)
    (out / "yields.json").write_text(json.dumps(yields, indent=2) + "\n")
    with uproot.recreate(out / "hists.root") as file:
        for name, h in hists.items():
            file[name] = h


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("input", nargs="?", type=Path, default=DATA)
    parser.add_argument("--out", type=Path, default=HERE / "out")
    args = parser.parse_args()
    yields, hists = analyze(args.input)
    write_outputs(args.out, yields, hists)
    print(json.dumps(yields, indent=2))


if __name__ == "__main__":
    main()
