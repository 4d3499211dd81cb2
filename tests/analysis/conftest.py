# SPDX-License-Identifier: MIT
"""Fixtures of the tests of the analysis."""
import os
import pathlib

import pytest


@pytest.fixture(scope="session")
def ptpmon():
    path = pathlib.Path(os.environ.get("PTPMON_BUILD_DIR", "")).resolve() / "ptpmon"
    assert path.is_file(), f"{path} is not built; run the tests through CTest, or set PTPMON_BUILD_DIR"
    return path
