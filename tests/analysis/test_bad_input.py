# SPDX-License-Identifier: MIT
"""
`ptpmon analyze` on what is wrong: values out of range, clocks that run backwards, captures that are cut, mixed, empty
or none at all. What cannot be known is named; what can be is as right as without the rest.
"""
import random
import struct
import subprocess
from fractions import Fraction

import pytest

import wire
from analyzed import analyze
from test_wireshark import HERE, SECOND, START, THERE, captured, end_to_end, peer_delays, syncs
from wire import (DELAY_REQ, DELAY_RESP, FOLLOW_UP, PDELAY_REQ, PDELAY_RESP, PDELAY_RESP_FOLLOW_UP, RX, SYNC, TWO_STEP,
                  TX)

BAD_FILE = 7


@pytest.fixture
def written(tmp_path):
    def write(frames, name="capture.pcapng"):
        path = tmp_path / name
        path.write_bytes(frames if isinstance(frames, bytes) else wire.pcapng(frames))
        return path
    return write


def of_kind(analysis, kind):
    return sorted((one for one in analysis.exchanges if one["kind"] == kind), key=lambda one: one["sequenceId"])


def values(exchanges, name):
    return [one[name] for one in exchanges]


# ---- Values --------------------------------------------------------------------------------

TOO_LARGE = [wire.TOO_BIG, -2**63, 1 << 62, 10 * SECOND * 65536 + 1, -10 * SECOND * 65536 - 1]


@pytest.mark.parametrize("correction", TOO_LARGE)
def test_correction_out_of_range(correction, ptpmon, written):
    """In each message that has a part in a sum: this one exchange is not computed, and all others are."""
    frames = syncs(count=6) + peer_delays(count=6)
    damaged = {SYNC: 1, FOLLOW_UP: 2, PDELAY_RESP: 3, PDELAY_RESP_FOLLOW_UP: 4}
    changed = [(time, direction, with_message(data, lambda message: message._replace(correctionField=correction)
                                              if damaged.get(message.messageType) == message.sequenceId else message))
               for time, direction, data in sorted(frames)]
    found = analyze(ptpmon, written(changed))
    for kind, name, bad, right in (("sync", "masterToSlave_ns", {1, 2}, 1000),
                                   ("p2p-as", "meanLinkDelay_ns", {3, 4}, 500)):
        exchanges = of_kind(found, kind)
        assert len(exchanges) == 6
        for one in exchanges:
            if one["sequenceId"] in bad:
                assert one["reason"] == "correction_out_of_range" and one[name] is None, one
            else:
                assert one[name] == right, one


@pytest.mark.parametrize("correction", [10 * SECOND * 65536, -10 * SECOND * 65536, 1 << 47, -(1 << 47), 1, -1])
def test_large_and_small_corrections_count(correction, ptpmon, written):
    found = of_kind(analyze(ptpmon, written(syncs(follow_up=correction))), "sync")
    assert values(found, "masterToSlave_ns") == [1000 - Fraction(correction, 65536)] * 4


@pytest.mark.parametrize("nanoseconds", [SECOND, 2**32 - 1])
def test_nanoseconds_out_of_range(nanoseconds, ptpmon, written):
    def change(message):
        wrong = message.sequenceId == 2 and message.messageType in (FOLLOW_UP, PDELAY_RESP_FOLLOW_UP)
        return message._replace(nanoseconds=nanoseconds) if wrong else message

    frames = [(time, direction, with_message(data, change))
              for time, direction, data in sorted(syncs(count=6) + peer_delays(count=6))]
    found = analyze(ptpmon, written(frames))
    for kind, name, right in (("sync", "masterToSlave_ns", 1000), ("p2p-as", "meanLinkDelay_ns", 500)):
        exchanges = of_kind(found, kind)
        assert values(exchanges, "reason").count("timestamp_out_of_range") == 1
        assert exchanges[2]["reason"] == "timestamp_out_of_range"
        assert values(exchanges, name) == [None if one["sequenceId"] == 2 else right for one in exchanges]


def test_seconds_beyond_64_bits_of_ns(ptpmon, written):
    """48 bits of seconds are more than fit in 64 bits of ns."""
    def change(message):
        return message._replace(seconds=2**48 - 1) if message.messageType == FOLLOW_UP else message

    frames = [(time, direction, with_message(data, change)) for time, direction, data in syncs()]
    found = of_kind(analyze(ptpmon, written(frames)), "sync")
    assert values(found, "reason") == ["timestamp_out_of_range"] * 4 and values(found, "masterToSlave_ns") == [None] * 4


def with_message(data, change):
    message = change(wire.parse(data))
    return wire.ethernet(wire.build(message))


def test_timestamps_not_given(ptpmon, written):
    """A two-step responder whose Pdelay_Resp says nothing of when the request came."""
    def change(message):
        return message._replace(seconds=0, nanoseconds=0) if message.messageType == PDELAY_RESP else message

    frames = [(time, direction, with_message(data, change)) for time, direction, data in peer_delays()]
    found = of_kind(analyze(ptpmon, written(frames)), "p2p-as")
    assert values(found, "reason") == ["timestamp_not_given"] * 12 and values(found, "meanLinkDelay_ns") == [None] * 12


@pytest.mark.parametrize("sdo_id, kind, delay", [(0x100, "p2p-as", 600), (0, "p2p", 0)])
def test_the_two_rules_of_peer_corrections(sdo_id, kind, delay, ptpmon, written):
    """
    Pdelay_Resp with 600 ns and Pdelay_Resp_Follow_Up with 400 ns, of 500 ns on the way. IEEE 802.1AS-2020 11.2.19: they
    are parts of t2 and of t3, so the turnaround is 200 ns less. IEEE 1588-2019 11.4.2: both are taken off that time.
    """
    found = of_kind(analyze(ptpmon, written(peer_delays(response=600, follow_up=400, sdo_id=sdo_id))), kind)
    assert values(found, "meanLinkDelay_ns") == [delay] * 12
    assert values(found, "turnaround_ns") == [10_000_000 + (1000 if sdo_id == 0 else -200)] * 12


# ---- Clocks that run backwards -------------------------------------------------------------

def test_capture_clock_runs_backwards(ptpmon, written):
    """Each frame was captured before the one before it: nothing that is computed may be of two times that did not
    belong together, and none is."""
    frames = [(2 * START - time, direction, data) for time, direction, data in syncs(count=50)]
    found = of_kind(analyze(ptpmon, written(frames)), "sync")
    assert len(found) == 50
    by_time = {one["sequenceId"]: 2 * START - time
               for (time, _, _), one in zip(syncs(count=50)[::2], found, strict=True)}
    for one in found:
        if one["masterToSlave_ns"] is not None:
            assert one["masterToSlave_ns"] == by_time[one["sequenceId"]] - one["t1"]


def test_step_back_within_the_capture(ptpmon, written):
    """One hour back in the middle: the exchanges on both sides are right."""
    frames = peer_delays(count=20)
    back = [(time - (3600 * SECOND if index >= 30 else 0), direction, data)
            for index, (time, direction, data) in enumerate(frames)]
    found = of_kind(analyze(ptpmon, written(back)), "p2p-as")
    assert values(found, "meanLinkDelay_ns") == [500] * 20 or \
        all(value in (500, None) for value in values(found, "meanLinkDelay_ns"))
    assert values(found, "meanLinkDelay_ns").count(500) >= 18


# ---- Files ---------------------------------------------------------------------------------

def test_cut_anywhere(ptpmon, written):
    """What is computed of the beginning of a capture is what the whole one says of it."""
    content = wire.pcapng(sorted(syncs(count=6) + peer_delays(count=6)))
    whole = {(one["kind"], one["sequenceId"]): one for one in analyze(ptpmon, written(content)).exchanges}
    draw = random.Random(7)
    computed = set()
    for length in sorted(draw.sample(range(60, len(content)), 25)):
        found = analyze(ptpmon, written(content[:length], f"{length}.pcapng")).exchanges
        for one in found:
            other = whole[(one["kind"], one["sequenceId"])]
            for name in ("masterToSlave_ns", "turnaround_ns"):
                assert one[name] in (None, other[name])
                if one[name] is not None:
                    computed.add((one["kind"], one["sequenceId"]))
    assert len(computed) >= 9


def test_mixed_link_types(ptpmon, written):
    """Frames of an interface of another link type (here IEEE 802.11) are passed over, not read as Ethernet."""
    frames = syncs(count=4)
    content = wire.pcapng(frames)
    section = 28  # of the first block: the two interfaces come next
    other = struct.pack("<IIHHI", 1, 32, 105, 0, 0) + wire.option(9, b"\x09") + bytes(4) + struct.pack("<I", 32)
    assert len(other) == 32
    plain = content[section:]
    foreign = b"".join(struct.pack("<IIIIIII", 6, 32 + 60, 1, *divmod(time, 2**32), 60, 60) + data[:60] +
                       struct.pack("<I", 92) for time, _, data in frames)
    interface_length = struct.unpack_from("<I", plain, 4)[0]
    mixed = content[:section] + plain[:interface_length] + other + foreign + plain[interface_length:]
    found = of_kind(analyze(ptpmon, written(mixed)), "sync")
    assert values(found, "masterToSlave_ns") == [1000] * 4


def test_capture_without_frames(ptpmon, written):
    assert analyze(ptpmon, written([])).exchanges == []


def test_capture_without_ptp(ptpmon, written):
    frames = [(START + i, RX, b"\xff" * 12 + b"\x08\x06" + bytes(46)) for i in range(10)]
    assert analyze(ptpmon, written(frames)).exchanges == []


@pytest.mark.parametrize("content", [b"", b"\n", b"#!/bin/sh\n" * 100, bytes(5000), b"\x89PNG\r\n\x1a\n" + bytes(1000),
                                     b"PTPMONEV", b"\x0a\x0d\x0d\x0a"])
def test_no_capture_at_all(content, ptpmon, tmp_path):
    """Refused with a sentence that names the file."""
    path = tmp_path / "other"
    path.write_bytes(content)
    result = subprocess.run([ptpmon, "analyze", "--json", path], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True, timeout=60)
    assert result.returncode == BAD_FILE, result
    assert result.stderr.startswith(f"ptpmon analyze: {path}: ") and result.stderr.count("\n") == 1


# ---- Order ---------------------------------------------------------------------------------

def test_follow_up_before_its_sync(ptpmon, written):
    """linuxptp's manual calls that a normal occurrence."""
    frames = [(time - (60_000 if wire.parse(data).messageType == FOLLOW_UP else 0), direction, data)
              for time, direction, data in syncs()]
    found = of_kind(analyze(ptpmon, written(sorted(frames))), "sync")
    assert values(found, "masterToSlave_ns") == [1000] * 4


def test_everything_twice(ptpmon, written):
    """As a mirror port may capture it: every exchange once, and no number is of a copy's time."""
    frames = sorted(syncs() + peer_delays(count=6))
    twice = sorted(frames + [(time + 700, direction, data) for time, direction, data in frames])
    found = analyze(ptpmon, written(twice))
    assert values(of_kind(found, "sync"), "masterToSlave_ns") == [1000] * 4
    assert values(of_kind(found, "p2p-as"), "meanLinkDelay_ns") == [500] * 6


def test_sequence_wraps(ptpmon, written):
    """sequenceId 65535 -> 0, in the middle of all kinds."""
    def change(message):
        return message._replace(sequenceId=(message.sequenceId + 65534) % 65536)

    frames = [(time, direction, with_message(data, change)) for time, direction, data in
              sorted(end_to_end() + peer_delays(count=6))]
    found = analyze(ptpmon, written(frames))
    assert {one["meanPathDelay_ns"] for one in of_kind(found, "e2e")} == {1100} and len(of_kind(found, "e2e")) == 3
    assert values(of_kind(found, "p2p-as"), "meanLinkDelay_ns") == [500] * 6


@pytest.mark.parametrize("later", [400_000_000, 5 * SECOND])
def test_restart_with_the_same_numbers(later, ptpmon, written):
    """A daemon that begins anew: no message of the second run pairs with one of the first. So soon that the two runs'
    messages lie in one window they may be left alone, but are not mixed."""
    moved = [(time + later, direction, with_message(data, lambda message: message._replace(
        seconds=START // SECOND + later // SECOND, nanoseconds=message.nanoseconds + later % SECOND)
        if message.messageType == FOLLOW_UP else message)) for time, direction, data in syncs(count=4)]
    found = [one for one in analyze(ptpmon, written(syncs(count=4) + moved)).exchanges if one["kind"] == "sync"]
    assert set(values(found, "masterToSlave_ns")) <= ({1000, None} if later < SECOND else {1000})
    assert values(found, "masterToSlave_ns").count(1000) == (8 if later > SECOND else 4)


def test_unanswered_requests(ptpmon, written):
    frames = [captured(START + number * SECOND, TX, kind, number, HERE, sdoId=0x100 if kind == PDELAY_REQ else 0)
              for kind in (DELAY_REQ, PDELAY_REQ) for number in range(3)]
    found = analyze(ptpmon, written(sorted(frames)))
    assert {(one["kind"], one["reason"]) for one in found.exchanges} <= \
        {("e2e", "without_response"), ("p2p-as", "without_response")}
    assert len(found.exchanges) == 6


def test_answers_without_requests(ptpmon, written):
    frames = [frame for frame in sorted(end_to_end() + peer_delays(count=3))
              if wire.parse(frame[2]).messageType not in (DELAY_REQ, PDELAY_REQ)]
    found = analyze(ptpmon, written(frames))
    assert not [one for one in found.exchanges if one["kind"] in ("e2e", "p2p-as") and one["reason"] == "computed"]
    assert {one["reason"] for one in of_kind(found, "e2e")} == {"without_request"}


def test_two_responders(ptpmon, written):
    """IEEE 802.1AS-2020 11.2.2: more than one answer to a Pdelay_Req, and no delay."""
    other = wire.identity(0x020000FFFE00000C)
    frames = peer_delays(count=3)
    frames += [(time + 5000, direction, with_message(data, lambda message: message._replace(source=other)))
               for time, direction, data in frames if direction == RX]
    found = of_kind(analyze(ptpmon, written(sorted(frames))), "p2p-as")
    assert "several_responders" in values(found, "reason") and not [one for one in found if one["reason"] == "computed"]


def test_answers_to_another_port(ptpmon, written):
    """Delay_Resp of the master to somebody else with the same sequenceId, before the one to this port."""
    other = wire.identity(0x020000FFFE00000D)
    frames = end_to_end()
    frames += [(time - 1000, direction, with_message(data, lambda message: message._replace(
        requesting=other, nanoseconds=message.nanoseconds + 777)))
        for time, direction, data in frames if wire.parse(data).messageType == DELAY_RESP]
    found = [one for one in of_kind(analyze(ptpmon, written(sorted(frames))), "e2e") if one["reason"] == "computed"]
    assert values(found, "meanPathDelay_ns") == [1100] * 3
    assert {one["requestingPortIdentity"] for one in found} == {wire.identity_text(HERE)}
    assert {one["sourcePortIdentity"] for one in found} == {wire.identity_text(THERE)}


def test_one_step_sync(ptpmon, written):
    frames = []
    for number in range(4):
        sent = START + number * SECOND // 8
        frames.append(captured(sent + 1000, RX, SYNC, number, THERE, 250 << 16, stamp=sent, flagField=0))
    found = of_kind(analyze(ptpmon, written(frames)), "sync")
    assert values(found, "masterToSlave_ns") == [750] * 4 and values(found, "two_step") == [False] * 4


def test_two_step_sync_whose_own_timestamp_is_no_time(ptpmon, written):
    """originTimestamp of a two-step Sync may be anything; it is not taken for the time."""
    frames = [captured(START + 1000, RX, SYNC, 0, THERE, flagField=TWO_STEP, stamp=START - 5)]
    found = of_kind(analyze(ptpmon, written(frames)), "sync")
    assert values(found, "reason") == ["without_follow_up"] and values(found, "masterToSlave_ns") == [None]
