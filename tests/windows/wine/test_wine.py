# SPDX-License-Identifier: MIT
"""The driver's real objects in Wine. What a case does is in client_cases*.c; here is what takes more than a client."""
import pathlib
import re
import time

import pytest

import session as sessions

CASES = re.findall(r"CASE\((\w+)\)", (pathlib.Path(__file__).parent / "client_cases.def").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", CASES)
def test_case(session, name):
    why = session.case(name)
    assert why is None, why


def test_owner_killed_by_the_host(session):
    """SIGKILL gives the client no chance; its handles go all the same."""
    for turn in range(5):
        log = session.directory / f"held-{turn}.log"
        holder = session.spawn("wine", "wine_client.exe", "hold", log=log)
        try:
            deadline = time.monotonic() + 20
            while "holding" not in log.read_text(errors="replace"):
                assert holder.poll() is None and time.monotonic() < deadline, log.read_text(errors="replace")
                time.sleep(0.02)
        finally:
            session.kill(holder)
        status, output = session.client("enable-again")
        assert status == 0, output


def nothing_held(session):
    status, output = session.client("nothing-held")
    assert status == 0, f"ended with {status}: {output}"


def test_unload_leaves_nothing(session):
    for _ in range(3):
        session.stop_service(sessions.DRIVER)
        nothing_held(session)
        session.start_service(sessions.DRIVER)
        assert session.case("receive") is None


@pytest.mark.parametrize("version, starts", [("00060014", False), ("0006001E", True), ("00060028", True),
                                             ("00060032", True), ("0006003C", True), ("00060055", True)])
def test_ndis_version(session, version, starts):
    """Older than 6.30: not loaded. Newer than what the driver knows: its newest."""
    session.stop_service(sessions.DRIVER)
    try:
        assert session.client("ndis-version", version)[0] == 0
        assert (session.try_start(sessions.DRIVER) == 0) == starts
        if starts:
            assert session.case("receive") is None
            session.stop_service(sessions.DRIVER)
        nothing_held(session)
    finally:
        session.client("ndis-version", "0")
        session.start_service(sessions.DRIVER)


def test_failing_start(session):
    """Each call of DriverEntry that can fail: the service does not start, or works; nothing is left."""
    session.stop_service(sessions.DRIVER)
    failed = 0
    try:
        for nth in range(1, 40):
            session.client("fail-nth", str(nth))
            error = session.try_start(sessions.DRIVER)
            calls = int(session.client("fail-nth", "0")[1].split()[1])
            if error:
                failed += 1
            else:
                assert session.case("receive") is None
                session.stop_service(sessions.DRIVER)
            nothing_held(session)
            if not error and calls < nth:
                break
        else:
            pytest.fail("DriverEntry makes more calls than this test fails")
    finally:
        session.client("fail-nth", "0")
        session.start_service(sessions.DRIVER)
    assert failed >= 2, "neither registration of filter nor of device failed"


def test_dead_driver_is_told_from_a_failed_case(session):
    """A fault in a driver ends the process of all drivers. The next case says so at once; the one after it works."""
    session.client("crash", timeout=20)
    why = session.case("receive")
    assert "the process that runs the drivers died" in why and "did not end" not in why, why
    assert session.case("receive") is None
