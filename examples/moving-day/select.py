"""Selects muons; written on one cluster, and about to move."""

import uproot

INPUT = "/eos/user/j/jane/nano/dimuon.root"
SKIM = "root://cmseos.fnal.gov//store/user/jane/skims/dimuon_2018.root"


def events(path=INPUT):
    """The events of one file."""
    return uproot.open(path)["Events"]
