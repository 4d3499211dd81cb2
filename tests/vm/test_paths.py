# SPDX-License-Identifier: MIT
"""This kernel gets the ways of seeing frames and stamps that are the best it has, and with them nothing is missed."""
import os
import re

import pytest

from lab import run
from monitor import parse_lines

KERNEL = tuple(int(number) for number in re.match(r"(\d+)\.(\d+)", os.uname().release).groups())
TCX_SINCE = (6, 6)


@pytest.fixture(scope="module")
def demo(ptpmon):
    return parse_lines(run(ptpmon, "demo", "--json", "--duration=8s").stdout)


def test_ways(demo):
    for start in (one for one in demo if one["type"] == "start"):
        ways = [start[name] for name in ("rx_frames", "tx_frames", "tx_stamps")]
        print(f"found: {start['profile']}: {', '.join(ways)}")
        assert ways == ["tcx" if KERNEL >= TCX_SINCE else "clsact", "net_dev_start_xmit", "fentry/skb_tstamp_tx"]


def test_every_frame_has_its_event(demo):
    for part in demo[-1]["profiles"]:
        monitor = part["monitor"]
        print(f"found: {part['profile']}: {part['events']} events, {part['frames']} frames, {part['matched']} matched, "
              f"{monitor['stamps_joined']} of {monitor['stamps_seen']} TX stamps joined")
        assert part["matched"] == part["events"] == part["frames"] > 50
        assert monitor["stamps_joined"] == monitor["stamps_seen"] > 0 and part["stamps_missing"] == 0
