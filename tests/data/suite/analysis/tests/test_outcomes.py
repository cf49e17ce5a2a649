"""One test of every outcome that pytest knows; the recorded reports beside come from here."""

import logging
import sys

import pytest


@pytest.fixture
def broken_setup():
    raise RuntimeError("no calibration")


@pytest.fixture
def broken_teardown():
    yield
    raise OSError("file not closed")


def test_pass():
    assert 1 < 2


def test_fail():
    print("selected <12> of 20 events & stopped ]]> here")
    print("\x1b[31mred\x1b[0m \x00 \x08", file=sys.stderr)
    logging.getLogger("fit").warning("chi2 & ndf")
    left, right = "a < b", "a > b"
    assert left == right, "cut flow: 12 < 20 & rising"


def test_error_in_setup(broken_setup):
    pass


def test_error_in_teardown(broken_teardown):
    pass


def test_fail_and_error_in_teardown(broken_teardown):
    assert [1] == [2]


@pytest.mark.xfail(reason="known bias")
def test_xfail():
    assert False


@pytest.mark.xfail
def test_xfail_without_reason():
    assert False


@pytest.mark.xfail(reason="fixed meanwhile", strict=True)
def test_strict_xpass():
    pass


@pytest.mark.xfail(reason="sometimes")
def test_xpass():
    pass


@pytest.mark.skip(reason="needs <the> grid")
def test_skip():
    pass


@pytest.mark.parametrize("value", ["a b", "x]y[", "é", "", "<&\"'>", "a::b", "tab\there", "\x1b[0m"])
def test_odd_ids(value):
    assert value != "a::b"


class TestYields:
    def test_method(self):
        pass
