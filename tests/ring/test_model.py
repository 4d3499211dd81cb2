# SPDX-License-Identifier: MIT
"""The model of the ring, ring.pml, searched exhaustively by spin: it holds, and every mutant of it is found out."""
import pathlib
import re
import subprocess

import pytest

MODEL = pathlib.Path(__file__).resolve().parent / "ring.pml"

HOLDS = [
    "HONEST PRODUCERS=2 PUSHES=3 ATTEMPTS=3",
    "HONEST PRODUCERS=2 PUSHES=2 STEPS=1",
    "HONEST PRODUCERS=2 PUSHES=3 CAPACITY=1",
    "HONEST PRODUCERS=3 PUSHES=1 CAPACITY=1",
    "PRODUCERS=2 PUSHES=2 LIES=2",
    "PRODUCERS=2 PUSHES=2 LIES=1 STEPS=1",
    "PRODUCERS=2 PUSHES=3 LIES=2 CAPACITY=1",
    "PRODUCERS=3 PUSHES=1 LIES=2",
    "TAIL_TWICE LIES=1",
]
# What breaks, and a part of the assertion that says so.
FAILS = {
    "HONEST MUTANT_PLAIN_LIMIT PUSHES=3": "",
    "MUTANT_NO_WALK": "writers",
    "MUTANT_BEYOND_UNPUBLISHED": "writers",
    "HONEST MUTANT_ONE_TOO_MANY": "",
    "HONEST MUTANT_OLD_TICKET_IS_FULL": "no_room",
    "HONEST MUTANT_OLD_HEAD": "bad",
    "HONEST MUTANT_NO_CHECK_AFTER_FAILURE": "",
    "HONEST MUTANT_PLAIN_HEAD": "",
    "HONEST MUTANT_PUBLISHED_FIRST": "record",
    "HONEST MUTANT_READER_PASSES_OVER": "",
    "HONEST MUTANT_GIVEN_BACK_FIRST": "record",
}


def search(folder, settings):
    """What the search prints."""
    defines = [f"-D{setting}" for setting in settings.split()]
    subprocess.run(["spin", *defines, "-a", MODEL], cwd=folder, check=True)
    # COLLAPSE: less memory; SAFETY: assertions and dead ends only.
    subprocess.run(["gcc", "-O1", "-w", "-DSAFETY", "-DCOLLAPSE", "-DMEMLIM=2000", "-o", "pan", "pan.c"], cwd=folder, check=True)
    return subprocess.run(["./pan", "-m100000"], cwd=folder, capture_output=True, text=True, timeout=300).stdout


@pytest.mark.parametrize("settings", HOLDS)
def test_holds(tmp_path, settings):
    said = search(tmp_path, settings)
    assert "errors: 0" in said, said
    assert not re.search(r"max search depth too small|aborted|out of memory|memory limit", said), said
    print(re.search(r"(\d+) states, stored", said).group(0))


@pytest.mark.parametrize("settings", FAILS)
def test_mutant_is_found_out(tmp_path, settings):
    said = search(tmp_path, settings)
    found = re.search(r"pan:1: assertion violated .*", said)
    assert found, said
    print(found.group(0))
    assert FAILS[settings] in found.group(0)
