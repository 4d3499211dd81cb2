# SPDX-License-Identifier: MIT
"""
The Python package and ptpmon.dll belong together. There is no Python for Windows here: what the package believes of
the DLL's structures, constants and functions is held against a C program that was compiled for Windows, linked with the
DLL, and run in Wine.
"""
import ast
import pathlib
import re
import shutil
import subprocess
import sys

import pefile
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path[:0] = [str(ROOT / "python"), str(ROOT / "tests" / "python")]

import recordings  # noqa: E402
from ptp_monitor import Recording, _library  # noqa: E402
# The same tests as for the library of this system, on the lines below.
from test_layout import test_constants, test_fields, test_structures, test_words  # noqa: E402, F401

# Types that have another size on Windows: what is mirrored must not be of them.
OTHERWISE_ON_WINDOWS = {"c_long", "c_ulong", "c_longdouble", "c_wchar", "c_wchar_p", "c_time_t", "py_object"}


@pytest.fixture(scope="module")
def lines(windows, wine, tmp_path_factory):
    """What tests/python/layout.c prints on Windows."""
    directory = tmp_path_factory.mktemp("layout")
    program = directory / "layout.exe"
    subprocess.run(["x86_64-w64-mingw32-gcc", "-std=c11", "-Wall", "-Werror", "-D__USE_MINGW_ANSI_STDIO=1",
                    f"-I{ROOT / 'include'}", f"-I{ROOT / 'core'}", "-o", program, ROOT / "tests/python/layout.c",
                    windows / "libptpmon.dll.a"], check=True, timeout=60)
    shutil.copy(windows / "ptpmon.dll", directory)
    code, out, err = wine.run_program(program)
    assert (code, err) == (0, b"")
    return [line.split() for line in out.decode().splitlines()]


def test_the_dll_has_what_the_package_calls(windows):
    table = pefile.PE(str(windows / "ptpmon.dll")).DIRECTORY_ENTRY_EXPORT
    exported = {symbol.name.decode() for symbol in table.symbols}
    called = {*_library._CHECKED, *_library._OTHERS}
    assert called <= exported
    assert len(called) > 25


def test_no_type_that_differs_on_windows_is_used():
    """On this system such a type would have the right size by chance."""
    sources = sorted((ROOT / "python" / "ptp_monitor").glob("*.py"))
    assert len(sources) > 10
    for source in sources:
        tree = ast.parse(source.read_text(encoding="utf-8"))
        names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        names |= {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
        names |= {alias.name for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for alias in node.names}
        assert not names & OTHERWISE_ON_WINDOWS, source


# ---- Recordings of Windows ----

DEMO = ROOT / "share" / "demo" / "gptp.events"
HZ = 3_579_545
TICK_NS = -(-10**9 // HZ)


@pytest.fixture
def recorded(request, monkeypatch, tmp_path):
    """One of this system, and the same as of a host that counts ticks; read by this system's library."""
    library = pathlib.Path(request.config.getoption("--linux")).resolve().parent / "libptpmon.so"
    monkeypatch.setenv("PTPMON_LIBRARY", str(library))
    _library.library.cache_clear()
    in_ticks = tmp_path / "ticks.events"
    in_ticks.write_bytes(recordings.in_ticks(DEMO.read_bytes(), HZ, True))
    yield Recording(DEMO), Recording(in_ticks)
    _library.library.cache_clear()


def test_events_are_in_ns_whatever_the_recording_counts(recorded):
    in_ns, in_ticks = recorded
    assert (in_ticks.header.system_clock, in_ticks.header.system_clock_hz) == ("qpc", HZ)
    events, others = list(in_ns.read_events()), list(in_ticks.read_events())
    assert len(events) == len(others) > 50
    for event, other in zip(events, others):
        assert abs(event.system_timestamp - other.system_timestamp) <= TICK_NS
        assert event._replace(system_timestamp=0, software_timestamp=0, sequence=0) == other._replace(
            system_timestamp=0, software_timestamp=0, sequence=0)


def test_pairs_are_the_same_whatever_the_recording_counts(recorded):
    outcomes = [[(pair.outcome, pair.event.sequenceId, pair.event.messageType)
                 for pair in one.correlate_with_npcap(DEMO.with_suffix(".pcapng"))] for one in recorded]
    assert outcomes[0] == outcomes[1] and len(outcomes[0]) > 50


def test_records_in_place_are_as_they_were_written(recorded):
    """Ticks, as the README of the package says."""
    _, in_ticks = recorded
    first = next(iter(in_ticks.read_records())).system_timestamp
    assert abs(int(in_ticks.records["system_timestamp"][0]) * 10**9 // HZ - first) <= TICK_NS


def test_versions_are_one(windows, wine):
    code, out, _ = wine.run("--version")
    assert code == 0
    assert re.search(rf"\b{re.escape(_library.VERSION)}\b", out.decode())
