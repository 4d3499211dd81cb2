# SPDX-License-Identifier: MIT
"""Lends the tests here the modules and the fixtures of the end-to-end tests."""
import importlib.util
import pathlib
import sys

_e2e = pathlib.Path(__file__).resolve().parent.parent / "e2e"
sys.path.insert(0, str(_e2e))
_spec = importlib.util.spec_from_file_location("e2e_conftest", _e2e / "conftest.py")
_fixtures = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_fixtures)

pytest_sessionstart = _fixtures.pytest_sessionstart
lab = _fixtures.lab
ptpmon = _fixtures.ptpmon
