# SPDX-License-Identifier: MIT
"""What a push and a read cost, in instructions: these do not depend on what else the machine does. Counted by callgrind,
for twice as many less as many, less the loop around it."""
import os
import re
import subprocess

import pytest

COUNT = 32768  # twice as many fit into the largest ring


def instructions(way, count):
    command = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", os.environ["COUNT_RING"], way, str(count)]
    said = subprocess.run(command, check=True, capture_output=True, text=True)
    emitted = int(said.stdout.split()[0])
    assert emitted == {"empty": 0, "full": 64}.get(way, count)
    return int(re.search(r"Collected : (\d+)", said.stderr).group(1))


@pytest.fixture(scope="module")
def cost():
    each = {way: (instructions(way, 2 * COUNT) - instructions(way, COUNT)) / COUNT
            for way in ("empty", "push", "copy", "renew", "read", "full")}
    print({way: round(number, 1) for way, number in each.items()})
    return each


def test_push_in_place(cost):
    assert 10 < cost["push"] - cost["empty"] <= 45


def test_copy(cost):
    assert 10 < cost["copy"] - cost["empty"] <= 45


def test_moving_the_limit_per_record(cost):
    assert 5 < cost["renew"] - cost["push"] <= 20


def test_read(cost):
    assert 5 < cost["read"] - cost["push"] <= 15


def test_full(cost):
    assert 10 < cost["full"] - cost["empty"] <= 90
