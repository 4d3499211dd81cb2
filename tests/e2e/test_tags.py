# SPDX-License-Identifier: MIT
"""VLAN tags in every usual form, in both directions: raw sockets send them in band, the receiving side gets the
outermost out of band."""
import pytest

import frames
from compare import assert_complete
from frames import DOT1AD, DOT1Q
from watched import Watched, stop_all

# By name: tags from the outside in (TPID, PCP, VID), and what the event says of them: vlanId, pcp, more_tags.
TAGS = {
    "untagged": ([], (None, None, False)),
    "802.1Q": ([(DOT1Q, 5, 100)], (100, 5, False)),
    "highest": ([(DOT1Q, 7, 4094)], (4094, 7, False)),
    "lowest": ([(DOT1Q, 0, 1)], (1, 0, False)),
    "priority tag": ([(DOT1Q, 6, 0)], (0, 6, False)),
    "802.1ad": ([(DOT1AD, 3, 200)], (200, 3, False)),
    "QinQ": ([(DOT1AD, 4, 300), (DOT1Q, 1, 30)], (300, 4, True)),
    "802.1Q twice": ([(DOT1Q, 2, 400), (DOT1Q, 7, 40)], (400, 2, True)),
}
CARRIERS = {
    "ethernet": lambda message, tags: frames.ethernet(message, tags),
    "udp_ipv4": lambda message, tags: frames.ethernet(frames.udp_ipv4(message), tags, 0x0800),
}
CASES = [(name, carrier) for name in TAGS for carrier in CARRIERS]


def send_cases(lab, end, port_number):
    """Sends every case; sequenceId is the number of the case."""
    raw = lab.packet_socket(end)
    for sequence_id, (name, carrier) in enumerate(CASES):
        raw.send(CARRIERS[carrier](frames.ptp(sequence_id, port=port_number), TAGS[name][0]))


@pytest.fixture(scope="module")
def everything(lab, ptpmon):
    """A link whose ends both send, and the far port of a bridge that forwards."""
    ends = lab.link()
    first, _, port, _ = lab.bridge()
    watched = [Watched(lab, ptpmon, ends), Watched(lab, ptpmon, [port])]
    for one in watched:
        one.wait_ready()
    for number, end in enumerate(ends, 1):
        send_cases(lab, end, number)
    send_cases(lab, first, 3)
    return stop_all(lab, watched)


@pytest.fixture(params=[0, 1], ids=["first end", "second end"])
def end(request, everything):
    return everything[0][request.param]


def test_every_frame_has_its_event(end):
    for direction in ("rx", "tx"):
        assert len(end.truth.frames[direction]) == len(CASES)
    assert_complete(end.recording, end.truth)


def assert_told(recording, direction, case):
    name, carrier = CASES[case]
    line, = [line for line in recording.events(direction) if line["sequenceId"] == case]
    assert (line["vlanId"], line["pcp"], line["more_tags"]) == TAGS[name][1]
    assert line["transport"] == carrier
    assert line["differs"] == []


every_case = pytest.mark.parametrize("case", range(len(CASES)), ids=[" ".join(case) for case in CASES])


@pytest.mark.parametrize("direction", ["rx", "tx"])
@every_case
def test_tags_are_told(end, direction, case):
    assert_told(end.recording, direction, case)


def test_forwarded_frames_have_their_events(everything):
    port = everything[1][0]
    assert len(port.truth.frames["tx"]) == len(CASES)
    assert_complete(port.recording, port.truth)


@every_case
def test_tags_out_of_band_are_told(everything, case):
    """A bridge sends on what it received: with the outermost tag out of band, on the sending side too."""
    assert_told(everything[1][0].recording, "tx", case)
