# SPDX-License-Identifier: MIT
"""docs/wireshark-differences.md: each capture is made anew; Wireshark and ptpmon read it and say what the page says."""
import functools
import os
import pathlib
import re
import subprocess
from fractions import Fraction

import pytest

from analyzed import analyze
from wire import (DELAY_REQ, DELAY_RESP, FOLLOW_UP, PDELAY_REQ, PDELAY_RESP, PDELAY_RESP_FOLLOW_UP, RX, SYNC, TWO_STEP,
                  TX, Message, build, ethernet, identity, pcapng)

PAGE = pathlib.Path(__file__).resolve().parents[2] / "docs" / "wireshark-differences.md"
COLUMNS = ["Wireshark's field", "Wireshark", "ptpmon's field", "ptpmon", "true"]

SECOND = 10**9
START = 1_700_000_000 * SECOND
HERE, THERE = identity(0x020000FFFE00000A), identity(0x020000FFFE00000B)
GPTP = 0x100  # sdoId


# ---- The captures --------------------------------------------------------------------------

def captured(time_ns, direction, *message, stamp=0, **more):
    seconds, nanoseconds = divmod(stamp, SECOND)
    data = ethernet(build(Message(*message, seconds=seconds, nanoseconds=nanoseconds, **more)))
    return time_ns, direction, data


def peer_delays(delay=500, turnaround=10_000_000, ppm=0, residence=0, response=0, follow_up=0, sdo_id=GPTP,
                two_step=True, count=12):
    """As the requester captured them; corrections in ns. The responder's clock gains `ppm`, and is set otherwise."""
    def there(time):
        return time + (time - START) * ppm // 10**6 + 12345

    frames, common = [], {"sdoId": sdo_id}
    for number in range(count):
        sent = START + number * SECOND
        arrived = sent + delay + residence // 2
        left = arrived + turnaround
        received = left + delay + residence // 2
        frames.append(captured(sent, TX, PDELAY_REQ, number, HERE, **common))
        frames.append(captured(received, RX, PDELAY_RESP, number, THERE, response << 16, requesting=HERE,
                               flagField=TWO_STEP * two_step, stamp=there(arrived) * two_step, **common))
        if two_step:
            frames.append(captured(received + 20_000, RX, PDELAY_RESP_FOLLOW_UP, number, THERE, follow_up << 16,
                                   requesting=HERE, stamp=there(left), **common))
    return frames


def syncs(way=1000, sync=0, follow_up=0, ppm=0, offset=0, count=4):
    """Corrections in 2^-16 ns. The clock of the capture gains `ppm` and is `offset` ahead."""
    frames = []
    for number in range(count):
        sent = START + number * SECOND // 8
        received = sent + way + (sent - START) * ppm // 10**6 + offset
        frames.append(captured(received, RX, SYNC, number, THERE, sync, flagField=TWO_STEP, logMessageInterval=-3))
        frames.append(captured(received + 30_000, RX, FOLLOW_UP, number, THERE, follow_up, stamp=sent,
                               logMessageInterval=-3))
    return frames


def end_to_end():
    frames, offset, back = syncs(offset=4000), 4000, 1200
    for number in range(3):
        sent = START + number * SECOND // 8 + 50_000_000
        frames.append(captured(sent + offset, TX, DELAY_REQ, number, HERE))
        frames.append(captured(sent + offset + 400_000, RX, DELAY_RESP, number, THERE, requesting=HERE,
                               stamp=sent + back))
    return sorted(frames)


CAPTURES = {
    "Where both agree": syncs,
    "Peer delay without corrections, at one rate": peer_delays,
    "Peer delay of two rates": functools.partial(peer_delays, ppm=100),
    "A negative correction": functools.partial(syncs, follow_up=-1 << 16),
    "Parts of a nanosecond": functools.partial(syncs, follow_up=7 << 14),
    "The Sync's own correction": functools.partial(syncs, way=6300, sync=5000 << 16, follow_up=300 << 16),
    "Corrections of a peer's answers": functools.partial(peer_delays, residence=1000, response=600, follow_up=400,
                                                         sdo_id=0),
    "A one-step peer": functools.partial(peer_delays, response=10_000_000, sdo_id=0, two_step=False),
    "The rate of Syncs": functools.partial(syncs, ppm=100),
    "Delay and offset end to end": end_to_end,
}


# ---- The page ------------------------------------------------------------------------------

def tables():
    """Heading -> rows, each a dict by column, without back quotes."""
    found, heading, columns = {}, None, None
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            heading = line.lstrip("# ")
        if not line.startswith("|"):
            columns = None
            continue
        cells = [cell.strip().strip("`") for cell in line[1:-1].split("|")]
        if columns is None:
            columns = cells
            assert columns == COLUMNS and heading not in found
            found[heading] = []
        elif not line.startswith("|--"):
            found[heading].append(dict(zip(columns, cells, strict=True)))
    return found


def test_every_capture_has_its_table():
    assert list(tables()) == list(CAPTURES)


@pytest.fixture(scope="module")
def capture_of(tmp_path_factory):
    directory = tmp_path_factory.mktemp("wireshark")

    @functools.cache
    def made(heading):
        path = directory / f"{len(list(directory.iterdir()))}.pcapng"
        path.write_bytes(pcapng(CAPTURES[heading]()))
        return path
    return made


# ---- Wireshark -----------------------------------------------------------------------------

def tshark(path, fields, passes=2):
    """Of each frame, the values of these fields of ptp.v2.analysis as text; "" = not there."""
    command = ["tshark", "-n", "-r", path, "-o", "ptp.analyze_ptp_messages:TRUE", "-T", "fields", "-E", "separator=|"]
    if passes == 2:
        command.insert(1, "-2")
    for field in fields:
        command += ["-e", f"ptp.v2.analysis.{field}"]
    result = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                            text=True, timeout=60, env={**os.environ, "HOME": str(path.parent)})
    assert result.returncode == 0, result.stderr
    return [line.split("|") for line in result.stdout.splitlines()]


def last(values):
    return next((value for value in reversed(values) if value != ""), "-")


@functools.cache
def installed_version():
    text = subprocess.run(["tshark", "--version"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                          timeout=60).stdout
    return re.search(r"\d+\.\d+\.\d+", text)[0]


# Of "Delay and offset end to end" it has no field: test_wireshark_has_no_field_for_end_to_end.
@pytest.mark.parametrize("heading", [heading for heading in CAPTURES if CAPTURES[heading] is not end_to_end])
def test_wireshark(heading, capture_of):
    rows = [row for row in tables()[heading] if row["Wireshark's field"]]
    assert rows
    found = tshark(capture_of(heading), [row["Wireshark's field"] for row in rows])
    for row, values in zip(rows, zip(*found, strict=True), strict=True):
        assert last(values) == row["Wireshark"], f"{row}; the page is of another version than {installed_version()}"


def test_wireshark_has_no_field_for_end_to_end():
    fields = subprocess.run(["tshark", "-G", "fields"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                            timeout=60).stdout
    known = re.findall(r"\tptp\.v2\.analysis\.(\S+)\t", fields)
    assert len(known) > 15
    pattern = "offset|pathdelay|delayreq|delayresp"
    assert not [field for field in known if re.search(pattern, field.replace("pdelay", ""))]


def test_one_pass_is_not_enough(capture_of):
    """The page's "Two passes"."""
    fields = ["pdelay.measuredMessagePeriod", "pdelayreqtores"]
    capture = capture_of("Peer delay without corrections, at one rate")
    (periods, answers), (later_periods, later_answers) = (
        list(zip(*tshark(capture, fields, passes), strict=True)) for passes in (1, 2))
    assert last(later_periods) == "1" and last(later_answers) == "35"
    assert float(last(periods)) < -START / SECOND and last(answers) == "-"


# ---- ptpmon --------------------------------------------------------------------------------

@pytest.mark.parametrize("heading", CAPTURES)
def test_ptpmon(heading, capture_of, ptpmon):
    rows = [row for row in tables()[heading] if row["ptpmon's field"]]
    if not rows:
        assert heading == "The rate of Syncs"
        return
    exchanges = analyze(ptpmon, capture_of(heading)).exchanges
    for row in rows:
        values = [one[row["ptpmon's field"]] for one in exchanges if one.get(row["ptpmon's field"]) is not None]
        assert values, row
        found, told = values[-1], Fraction(row["ptpmon"])
        # A rate is a double, and a delay that is scaled by one is rounded to 2^-16 ns.
        assert abs(found - told) <= (Fraction(1, 10**6) if "ppm" in row["ptpmon's field"] else Fraction(1, 2**15)), row


@pytest.mark.parametrize("heading", CAPTURES)
def test_truth_is_what_ptpmon_says(heading):
    """Of all but the offset, where the page says why."""
    for row in tables()[heading]:
        if row["ptpmon's field"] and row["ptpmon's field"] != "offsetFromMaster_ns":
            assert row["ptpmon"] == row["true"], row
