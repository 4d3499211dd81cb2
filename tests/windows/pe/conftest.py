# SPDX-License-Identifier: MIT
"""The driver, built once for all tests, from the sources as they are."""

import pathlib
import shutil
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[3]


def build(directory: pathlib.Path, *options: str) -> pathlib.Path:
    result = subprocess.run(
        [ROOT / "scripts" / "build-windows.sh", *options, directory], capture_output=True, text=True, check=False
    )
    if result.returncode != 0:
        pytest.fail(f"the driver does not build:\n{result.stdout}{result.stderr}", pytrace=False)
    return directory


@pytest.fixture(scope="session", name="built")
def built_fixture(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """The build directory; with the package in test-signed/, where it can be signed."""
    can_sign = shutil.which("osslsigncode") and shutil.which("openssl")
    return build(tmp_path_factory.mktemp("built") / "windows", *(["--test-sign"] if can_sign else []))
