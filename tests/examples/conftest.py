# SPDX-License-Identifier: MIT
"""Where the examples are, and the helpers of the end-to-end tests."""
import os
import pathlib
import shutil
import sys

import pytest

SOURCE_TREE = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(SOURCE_TREE / "tests" / "e2e"))


@pytest.fixture(scope="session")
def example():
    """The path of a built example, by name."""
    directory = pathlib.Path(os.environ.get("PTPMON_EXAMPLES_DIR", "")).resolve()

    def path_of(name):
        assert (directory / name).is_file(), f"{directory / name} is not built; run the tests through CTest"
        return directory / name
    return path_of


@pytest.fixture(scope="session")
def correlate_py():
    """The command line of the Python example; the package is that of the source tree."""
    return [sys.executable, "-W", "error::UserWarning", SOURCE_TREE / "examples" / "correlate.py"]


@pytest.fixture(params=["default", "gptp"])
def demo(request):
    """A recorded run without its suffix: .events, .pcap."""
    return SOURCE_TREE / "share" / "demo" / request.param


@pytest.fixture
def lab(request):
    from lab import Lab
    made = Lab()
    try:
        yield made
    finally:
        made.close()
        if request.session.testsfailed:
            print(f"captures and logs: {made.directory}")
        else:
            shutil.rmtree(made.directory)
