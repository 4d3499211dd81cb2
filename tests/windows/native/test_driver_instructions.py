# SPDX-License-Identifier: MIT
"""What the driver's handlers cost, in instructions: these do not depend on what else the machine does. Counted by
callgrind, less the same calls of NDIS's function that the handler ends with.
The double's NdisGetDataBuffer, rundown protection and IRQL are counted in; its clock stands still."""
import functools
import os
import re
import subprocess

import pytest

COUNT = 2000
EMITTED = {"emit": 1, "record": 1, "record_passive": 1, "record_in_pieces": 1, "record_chain_of_16": 16, "record_tagged": 1,
           "record_ipv4": 1, "record_ipv6": 1, "record_sent": 1, "record_of_stamp": 1}


def instructions(way, count, what):
    command = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", os.environ["COUNT_DRIVER"],
               way, str(count), what]
    said = subprocess.run(command, check=True, capture_output=True, text=True)
    assert int(said.stdout.split()[0]) == (EMITTED.get(way, 0) * count if what == "handler" else 0)
    return int(re.search(r"Collected : (\d+)", said.stderr).group(1))


@functools.lru_cache(maxsize=None)
def cost(way):
    each = (instructions(way, COUNT, "handler") - instructions(way, COUNT, "nothing")) / COUNT
    print(f"{way}: {each:.1f}")
    return each


@pytest.mark.parametrize("way", ["disabled_receive", "disabled_send", "disabled_complete"])
def test_nobody_monitors(way):
    assert 3 < cost(way) < 8


def test_one_record():
    """Parse, fill, and put into the ring: what AvbPtpEmitTimestampEvent() does."""
    assert 200 < cost("emit") <= 300


@pytest.mark.parametrize("way, limit", [
    ("record", 460), ("record_passive", 490), ("record_in_pieces", 900), ("record_tagged", 500), ("record_ipv4", 530),
    ("record_ipv6", 530), ("record_sent", 490), ("record_of_stamp", 560)])
def test_one_frame_from_handler_to_handler(way, limit):
    assert 300 < cost(way) <= limit


def test_further_records_of_a_chain():
    """The rundown reference, the IRQL and the handler itself are for the whole chain."""
    assert 200 < (cost("record_chain_of_16") - cost("record")) / 15 <= 330


@pytest.mark.parametrize("kind", ["chain_of", "udp", "arp"])
def test_foreign_frame(kind):
    each = (cost(f"foreign_{kind}_64") - cost(f"foreign_{kind}_32")) / 32
    print(f"each foreign frame of a chain: {each:.1f}")
    assert 10 < each < 40


@pytest.mark.parametrize("way", ["foreign", "foreign_passive"])
def test_foreign_frame_alone(way):
    assert 20 < cost(way) < 70
