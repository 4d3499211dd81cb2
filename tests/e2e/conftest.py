# SPDX-License-Identifier: MIT
"""Fixtures of the end-to-end tests. They need root: for network namespaces, eBPF and raw sockets."""
import os
import pathlib
import shutil
import signal

import pytest

from lab import Lab

SKIPPED = 77  # CTest's SKIP_RETURN_CODE
TOOLS = ("ip", "tc", "ptp4l", "tcpdump", "tshark", "mergecap", "bpftool", "setpriv")


def pytest_sessionstart(session):
    if os.geteuid() != 0:
        pytest.exit("the end-to-end tests need root; run `make check-e2e`", SKIPPED)
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    if missing:
        pytest.exit(f"missing: {', '.join(missing)}; `make setup` installs what is needed", 2)
    # The fixtures clean up on KeyboardInterrupt; make an ordinary kill one, and Ctrl-C where it was ignored.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)


def _built(variable, name):
    path = pathlib.Path(os.environ.get(variable, "")).resolve() / name
    assert path.is_file(), f"{path} is not built; run the tests through CTest, or set {variable}"
    return path


@pytest.fixture(scope="session")
def ptpmon():
    return _built("PTPMON_BUILD_DIR", "ptpmon")


@pytest.fixture(scope="module")
def reachable_ptpmon(lab, ptpmon):
    """A copy where every user can get at it, with the files that it looks for beside itself."""
    lab.directory.chmod(0o755)
    shutil.copytree(ptpmon.parent / "share", lab.directory / "share")
    return shutil.copy(ptpmon, lab.directory / "ptpmon")


@pytest.fixture(scope="session")
def frame_sender():
    return _built("PTPMON_E2E_DIR", "frame_sender")


@pytest.fixture(scope="session")
def clsact_monitor():
    return _built("PTPMON_E2E_DIR", "clsact_monitor")


@pytest.fixture(scope="module")
def lab(request):
    """Kept for all tests of a module; its files stay where one of them failed."""
    made = Lab()
    try:
        yield made
    finally:
        made.close()
        if request.session.testsfailed:
            print(f"captures and logs: {made.directory}")
        else:
            shutil.rmtree(made.directory)
