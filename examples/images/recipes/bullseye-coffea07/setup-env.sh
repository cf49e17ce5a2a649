#!/bin/sh
# What this facility does before each command: batch nodes have no display and little home.
export MPLBACKEND=Agg
export FACILITY=coffea-07
exec "$@"
