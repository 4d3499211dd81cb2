# SPDX-License-Identifier: MIT
"""The files of a simulated port, read bit by bit without anything of ptpmon, exchanges computed from them, and the
truth beside it."""
import json
import struct
from collections import defaultdict, namedtuple

ONE = 65536  # 2^-16 ns
SYNC, DELAY_REQ, PDELAY_REQ, PDELAY_RESP, FOLLOW_UP, DELAY_RESP, PDELAY_FOLLOW_UP = 0, 1, 2, 3, 8, 9, 10
RX, TX, CLOCKS, LOSS = range(4)
LATE, EXPECTED, STAMPED = 8, 16, 7

Record = namedtuple("Record", "hw at direction type sequence domain stamp port software")


def records(path):
    """The records of a file of events, as they are in it."""
    with open(path, "rb") as file:
        data = file.read()
    assert len(data) % 64 == 0
    for at in range(4096, len(data), 64):
        hw, system, direction, kind, sequence, domain = struct.unpack_from("=QQBBHB", data, at)
        software, = struct.unpack_from("=Q", data, at + 48)
        yield Record(hw, system, direction, kind, sequence, domain, data[at + 27], data[at + 32:at + 42], software)


def losses(path):
    """(frames, stamps) that each LOSS record says were dropped."""
    with open(path, "rb") as file:
        data = file.read()
    return [struct.unpack_from("=QQ", data, at + 24) for at in range(4096, len(data), 64) if data[at + 16] == LOSS]


def hardware_stamps(path):
    """(direction, message key) -> [stamp], in order; None where it is missing."""
    stamps = defaultdict(list)
    for record in records(path):
        if record.direction > TX:
            continue
        key = (record.direction, record.type, record.domain, record.port, record.sequence)
        if not record.stamp & LATE:
            stamps[key].append(record.hw or None)
        elif record.stamp & STAMPED:  # of the newest one that waits
            stamps[key][-1] = record.hw
    return stamps


def blocks(path):
    with open(path, "rb") as file:
        data = file.read()
    at = 0
    while at < len(data):
        kind, length = struct.unpack_from("=II", data, at)
        yield kind, data[at:at + length]
        at += length


def frames(path):
    """(direction, PTP message) of each frame of a pcapng file."""
    for kind, block in blocks(path):
        if kind == 6:
            captured, = struct.unpack_from("=I", block, 20)
            flags, = struct.unpack_from("=I", block, 28 + (captured + 3) // 4 * 4 + 4)
            yield (flags & 3) - 1, ptp(block[28:28 + captured])


def dropped(path):
    """isb_ifdrop of the last Interface Statistics Block."""
    last = [block for kind, block in blocks(path) if kind == 5][-1]
    at = 20
    while True:
        code, length = struct.unpack_from("=HH", last, at)
        if code == 5:
            return struct.unpack_from("=Q", last, at + 4)[0]
        at += 4 + (length + 3) // 4 * 4


def ptp(frame):
    at = 12
    if frame[at:at + 2] == b"\x81\x00":
        at += 4
    at += {b"\x88\xf7": 2, b"\x08\x00": 30, b"\x86\xdd": 50}[frame[at:at + 2]]
    return frame[at:at + int.from_bytes(frame[at + 2:at + 4], "big")]


class Message:
    def __init__(self, direction, raw, stamp):
        self.direction = direction
        self.stamp = None if stamp is None else stamp * ONE
        self.type, self.domain, self.two_step = raw[0] & 15, raw[4], bool(raw[6] & 2)
        self.correction = int.from_bytes(raw[8:16], "big", signed=True)
        self.source, self.sequence = raw[20:30], int.from_bytes(raw[30:32], "big")
        self.nanoseconds = int.from_bytes(raw[40:44], "big")
        self.time = (int.from_bytes(raw[34:40], "big") * 10**9 + self.nanoseconds) * ONE
        self.requesting = raw[44:54]


def messages(path, port):
    """The messages that passed a port, in the order of the capture, with their stamps."""
    stamps = hardware_stamps(f"{path}.{port}.events")
    for direction, raw in frames(f"{path}.{port}.pcapng"):
        source = raw[20:28] + struct.pack("=H", int.from_bytes(raw[28:30], "big"))
        waiting = stamps[direction, raw[0] & 15, raw[4], source, int.from_bytes(raw[30:32], "big")]
        yield Message(direction, raw, waiting.pop(0) if waiting else None)


class Computed:
    """Exchanges of a port: (kind, domain, source, requesting, sequenceId) -> [value], in order."""

    def __init__(self, path, port, gptp):
        self.found = defaultdict(list)
        self._gptp = gptp
        self._syncs, self._follow_ups, self._requests, self._responses = {}, {}, {}, {}
        take = {(SYNC, RX): self._sync, (FOLLOW_UP, RX): self._follow_up, (DELAY_REQ, TX): self._request,
                (PDELAY_REQ, TX): self._request, (DELAY_RESP, RX): self._delay_resp,
                (PDELAY_RESP, RX): self._pdelay_resp, (PDELAY_FOLLOW_UP, RX): self._pdelay_follow_up}
        for message in messages(path, port):
            handler = take.get((message.type, message.direction))
            if handler and message.correction != 2**63 - 1 and message.nanoseconds < 10**9:
                handler(message)

    def _add_sync(self, sync, time, correction):
        if sync.stamp is not None:
            self.found["sync", sync.domain, sync.source, None, sync.sequence].append(
                sync.stamp - time - sync.correction - correction)

    def _sync(self, sync):
        key = (sync.domain, sync.source, sync.sequence)
        if not sync.two_step:
            self._add_sync(sync, sync.time, 0)
        elif key in self._follow_ups:
            follow_up = self._follow_ups.pop(key)
            self._add_sync(sync, follow_up.time, follow_up.correction)
        else:
            self._syncs.setdefault(key, sync)

    def _follow_up(self, follow_up):
        key = (follow_up.domain, follow_up.source, follow_up.sequence)
        if key in self._syncs:
            self._add_sync(self._syncs.pop(key), follow_up.time, follow_up.correction)
        else:
            self._follow_ups[key] = follow_up

    def _request(self, request):
        self._requests[request.domain, request.source, request.sequence] = request

    def _delay_resp(self, response):
        request = self._requests.get((response.domain, response.requesting, response.sequence))
        if request and request.stamp:
            self.found["e2e", response.domain, response.source, response.requesting, response.sequence].append(
                response.time - response.correction - request.stamp)

    def _pdelay_resp(self, response):
        key = (response.domain, response.source, response.requesting, response.sequence)
        request = self._requests.get((response.domain, response.requesting, response.sequence))
        if not response.two_step and request and request.stamp:
            self.found[("p2p", *key)].append((response.stamp - request.stamp, response.correction))
        self._responses[key] = response

    def _pdelay_follow_up(self, follow_up):
        key = (follow_up.domain, follow_up.source, follow_up.requesting, follow_up.sequence)
        response = self._responses.get(key)
        request = self._requests.get((follow_up.domain, follow_up.requesting, follow_up.sequence))
        if response and response.stamp and request and request.stamp:
            correction = follow_up.correction + (-response.correction if self._gptp else response.correction)
            self.found[("p2p-as" if self._gptp else "p2p", *key)].append(
                (response.stamp - request.stamp, follow_up.time - response.time + correction))


def identity(text):
    """"a2b3c4.fffe.d5e6f7-1" as in a message."""
    if text is None:
        return None
    clock, number = text.split("-")
    return bytes.fromhex(clock.replace(".", "")) + int(number).to_bytes(2, "big")


def scaled(pair):
    return pair[0] * ONE + pair[1]


def true_value(line):
    """What exact computing must give of the stamps and corrections that there are; None: nothing."""
    if line["kind"] == "sync":
        return None if line["masterToSlave"] is None else scaled(line["masterToSlave"])
    if line["kind"] == "e2e":
        return scaled(line["slaveToMaster"])
    errors = [scaled(error) for error in line["stamp_errors"]]
    whole = scaled(line["forward"]) + scaled(line["reverse"]) + scaled(line["turnaround_requester"])
    return whole + errors[3] - errors[0], scaled(line["turnaround"]) + errors[2] - errors[1]


def compare(path):
    """Counts of (kind, "equal" | "different" | "not found" | "not usable")."""
    with open(path + ".truth.jsonl", encoding="utf-8") as file:
        lines = [json.loads(line) for line in file]
    gptp = lines[0]["settings"]["profile"] == "gptp"
    computed = {port["name"]: Computed(path, port["name"], gptp).found
                for node in lines[0]["nodes"] for port in node["ports"] if port["observed"]}
    counts = defaultdict(int)
    for line in lines:
        if line["type"] != "exchange" or line["kind"] == "transit" or line["port"] not in computed:
            continue
        true = true_value(line)
        values = computed[line["port"]][line["kind"], line["domainNumber"], identity(line["source"]),
                                        identity(line.get("requesting")), line["sequenceId"]]
        if true is None:
            counts[line["kind"], "not usable"] += 1
        elif not values:
            counts[line["kind"], "not found"] += 1
        else:
            counts[line["kind"], "equal" if values.pop(0) == true else "different"] += 1
    return dict(counts)

