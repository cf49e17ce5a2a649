"""One test of every outcome that unittest knows."""

import sys
import unittest


class Yields(unittest.TestCase):
    def test_pass(self):
        pass

    def test_documented(self):
        """What it does: sums up.

        More."""
        self.assertEqual(1, 2, "sum")

    def test_fail(self):
        print("to stderr", file=sys.stderr)
        self.assertEqual({"a": 1}, {"a": 2})

    def test_error(self):
        raise OSError("no file")

    @unittest.skip("needs the 'grid'")
    def test_skip(self):
        pass

    @unittest.expectedFailure
    def test_expected_failure(self):
        self.fail()

    @unittest.expectedFailure
    def test_unexpected_success(self):
        pass

    def test_subtests(self):
        for channel in ("ee", "mumu"):
            with self.subTest(channel=channel):
                self.assertEqual(channel, "ee")


class NoData(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        raise RuntimeError("no data")

    def test_never(self):
        pass
