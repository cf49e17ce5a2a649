#!/bin/bash
set -eu
source /cvmfs/sft.cern.ch/lcg/views/LCG_107/x86_64-el9-gcc13-opt/setup.sh
python3 select.py
cp hists.root /nfs/dust/cms/user/jane/
