# SPDX-License-Identifier: MIT
"""
Messages that one point saw and no other: those that a simulated network lost between the points, and none else. Where
recordings begin and end, what a point cannot see, and what a recording lost itself is no such message.
"""
import pytest

import wire
from analyzed import run
from simulated import simulate

SYNC, DELAY_REQ, PDELAY_REQ = wire.SYNC, wire.DELAY_REQ, wire.PDELAY_REQ
BEGIN, INTERVAL = 1_800_000_000_000_000_000, 125_000_000
SETTINGS = {"duration": "30s", "bridges": 1, "sync-interval": -3, "delay-interval": -3, "pdelay-interval": -2,
            "drift": "10", "truth": "faults", "jitter": "20ms"}
PROFILES = ("e2e", "p2p", "gptp")
PAIRS = (("bridge1-up", "bridge1-down"), ("bridge1-down", "client"), ("gm", "client"), ("client", "bridge1-up"))


def lone(ptpmon, simulation, *ports, files=None):
    """What each point counted, in the order of the captures."""
    files = files or [file for port in ports for file in simulation.files(port)]
    points = {one["capture_file"]: one for one in run(ptpmon, "analyze", "--json", *files) if one["type"] == "point"}
    assert not any(point["counts"]["decided_early"] for point in points.values())
    return [points[str(file)]["counts"]["seen_at_one_point"] for file in files if str(file) in points]


@pytest.fixture
def made(ptpmon, tmp_path):
    return lambda profile, *faults, **settings: simulate(
        ptpmon, tmp_path / "net", {**SETTINGS, "profile": profile, **settings}, faults)


@pytest.mark.parametrize("ports", PAIRS)
@pytest.mark.parametrize("profile", PROFILES)
def test_nothing_is_lost(profile, ports, made, ptpmon):
    """Whatever each point sees that others do not; queues, and a clock that is set, make no difference."""
    simulation = made(profile, "phc_step:at=15s,size=1s", queue="exponential", **{"queue-time": "50us"})
    assert lone(ptpmon, simulation, *ports) == [0, 0]


@pytest.mark.parametrize("bridge", ["boundary", "switch"])
@pytest.mark.parametrize("profile", ["e2e", "p2p"])
def test_nothing_is_lost_in_other_bridges(profile, bridge, made, ptpmon):
    simulation = made(profile, bridge=bridge, bridges=2)
    for ports in (("bridge1-up", "bridge1-down"), ("gm", "client"), ("gm", "bridge2-up", "client")):
        assert lone(ptpmon, simulation, *ports) == len(ports) * [0]


@pytest.mark.parametrize("seed", range(1, 6))
@pytest.mark.parametrize("profile, where, kinds", [
    ("e2e", "client", {"sync": SYNC}), ("e2e", "gm", {"delay_req": DELAY_REQ}),
    ("p2p", "client", {"sync": SYNC, "pdelay_req": PDELAY_REQ}), ("gptp", "bridge1-down", {"pdelay_req": PDELAY_REQ})])
def test_lost_on_a_link(profile, where, kinds, seed, made, ptpmon):
    """Those that were lost in the middle, each, at the point that saw them; all but the Syncs of 802.1AS."""
    faults = [f"loss:where={where},type={kind},p=0.04,at=3s,until=27s" for kind in kinds]
    simulation = made(profile, *faults, seed=seed)
    ports = ("client", "bridge1-down") if where != "gm" else ("gm", "bridge1-up")
    if where == "bridge1-down":
        ports = ports[::-1]
    lost = [line for line in simulation.faults("loss") if line["messageType"] in kinds.values()]
    assert len(lost) > 1
    assert lone(ptpmon, simulation, *ports) == [0, len(lost)]


def test_recordings_that_lose(made, ptpmon):
    """What the ring or the capture lost, the other has: the message was seen."""
    simulation = made("p2p", "event_loss:at=5s,size=400ms", "capture_loss:at=15s,size=400ms")
    assert lone(ptpmon, simulation, "bridge1-down", "client") == [0, 0]


def test_recordings_of_different_length(made, ptpmon, tmp_path):
    """Only what lies between messages that both saw is expected at both."""
    simulation = made("e2e")
    capture, _ = simulation.files("bridge1-up")
    other, _ = simulation.files("bridge1-down")
    whole = other.read_bytes()
    for part in (0.2, 0.5, 0.9):
        short = tmp_path / "short.pcapng"
        short.write_bytes(whole[:int(part * len(whole))])
        assert lone(ptpmon, simulation, files=[capture, short]) == [0, 0]


def test_messages_alike_are_not_missed(made, ptpmon):
    """A duplicate is the message once more."""
    simulation = made("e2e", "duplicate:where=client,p=0.2")
    assert lone(ptpmon, simulation, "bridge1-down", "client") == [0, 0]


# ---- By sequenceId ---------------------------------------------------------------------------


@pytest.fixture
def captured(ptpmon, tmp_path):
    """Counts of two captures of Syncs, each given as sequenceIds, or None where there was none."""
    def counted(*points):
        files = []
        for number, sequence in enumerate(points):
            frames = [(BEGIN + INTERVAL * at + 1000 * number, wire.RX, wire.ethernet(wire.build(wire.Message(
                SYNC, each, wire.identity(1), seconds=1, nanoseconds=at))))
                      for at, ids in enumerate(sequence) for each in (ids if isinstance(ids, tuple) else (ids,))
                      if each is not None]
            files.append(tmp_path / f"point{number}.pcapng")
            files[-1].write_bytes(wire.pcapng(frames))
        return lone(ptpmon, None, files=files)
    return counted


@pytest.mark.parametrize("first", [100, 65510, 65520, 65535])
@pytest.mark.parametrize("missing, expected", [
    ([10], 1), ([10, 11, 12], 3), ([10, 12, 14, 20], 4), ([0, 1, 2], 0), ([37, 38, 39], 0), (range(10, 16), 0),
    (range(10, 14), 2), ([*range(0, 10), 20], 1), ([], 0)])
def test_between_messages_that_both_saw(missing, expected, first, captured):
    """One of the three before it, and one of the three after it: what is further apart may be a pause."""
    sequence = [(first + number) % 65536 for number in range(40)]
    other = [None if number in missing else each for number, each in enumerate(sequence)]
    assert captured(sequence, other) == [expected, 0]
    assert captured(other, sequence) == [0, expected]
    assert captured(sequence, other, other) == [expected, 0, 0]
    assert captured(sequence, sequence, other) == [0, 0, 0]


def test_a_sequence_that_begins_anew(captured):
    sequence = [*range(1000, 1020), *range(0, 20), *range(3000, 3020)]
    other = [None if each in (1019, 0, 5, 3010) else each for each in sequence]
    assert captured(sequence, other) == [2, 0]


@pytest.mark.parametrize("ahead", [-200, -30, -1, 1, 2, 30, 200])
def test_unicast_to_several(ahead, captured):
    """A master may number what it sends to each slave, and only one of them is seen at the other point."""
    to_this = range(1000, 1060)
    to_both = [(each, each + ahead) if each % 2 else each for each in to_this]
    assert captured(to_both, to_this) == [0, 0]
