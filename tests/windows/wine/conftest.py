# SPDX-License-Identifier: MIT
import pathlib

import pytest

import session as sessions


def pytest_addoption(parser):
    parser.addoption("--build", required=True, help="directory with ndislab.sys, avbptpmon_t.sys, wine_client.exe")


def pytest_collection_modifyitems(items):
    """Without Wine: one test, skipped, and its reason."""
    reason = sessions.missing()
    if reason:
        del items[1:]
        for item in items:
            item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(scope="session")
def session(request):
    build = pathlib.Path(request.config.getoption("--build"))
    with sessions.Session(build, build / "session").living() as living:
        yield living
