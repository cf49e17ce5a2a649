# shellcheck shell=bash
# A facility on an early calendar-versioned coffea: lazy arrays come from dask-awkward.
build() { python_image bookworm 3.11; }
