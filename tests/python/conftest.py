# SPDX-License-Identifier: MIT
"""Finds the package in the source tree, and the helpers of the end-to-end tests."""
import os
import pathlib
import sys

import pytest

TESTS = pathlib.Path(__file__).resolve().parent
SOURCE_TREE = TESTS.parents[1]
sys.path[:0] = [str(SOURCE_TREE / "python"), str(TESTS.parent / "e2e")]


def _built(variable):
    path = pathlib.Path(os.environ.get(variable, ""))
    assert path.is_file(), f"{path} is not built; run the tests through CTest, or set {variable}"
    return path


@pytest.fixture(scope="session")
def layout_program():
    return _built("PYTHON_LAYOUT")


@pytest.fixture(scope="session")
def truth_program():
    return _built("PYTHON_TRUTH")


@pytest.fixture(params=["default", "gptp"])
def demo(request):
    """A recorded run without its suffix: .events, .pcapng."""
    return SOURCE_TREE / "share" / "demo" / request.param


@pytest.fixture(scope="session")
def source_tree():
    return SOURCE_TREE
