# SPDX-License-Identifier: MIT
"""
What a ptp4l itself measured, sample by sample: its stamps and corrections (slave_event_monitor), its raw delays (its
log at level 7) and its offsets (TIME_STATUS_NP, asked for more often than there are Syncs).

linuxptp 3.1.1. With SETTINGS nothing of it is filtered, and no rate is estimated: each delay is that of one exchange,
each offset is that of one Sync with the newest of these delays.
"""
import collections
import re
import select
import socket
import struct
import threading
import time

from ptp4l import settings_of

# delay_filter_length: the median of one delay is that delay. freq_est_interval: a rate ratio is first known after 2^20
# seconds and is 1 until then.
SETTINGS = {"tsproc_mode": "filter", "delay_filter_length": 1, "freq_est_interval": 20, "logging_level": 7}

# Times in ns, correction in 2^-16 ns; source: clockIdentity in hex, portNumber.
SyncSample = collections.namedtuple("SyncSample", "source sequenceId origin correction ingress")
DelaySample = collections.namedtuple("DelaySample", "source sequenceId origin correction response")

_SIGNALING = 0xC
_HEADER_AND_TARGET = 44
_SLAVE_RX_SYNC_TIMING_DATA = 0x8004
_SLAVE_DELAY_TIMING_DATA_NP = 0x7F00
_PORT_IDENTITY = struct.Struct("!8sH")
_SYNC_RECORD = struct.Struct("!HHIIqiHII")   # sequenceId, syncOrigin, totalCorrection, rate offset, syncEventIngress
_DELAY_RECORD = struct.Struct("!HHIIqHII")   # sequenceId, delayOrigin, totalCorrection, delayResponse

_MANAGEMENT, _GET, _RESPONSE, _TLV_MANAGEMENT = 0xD, 0, 2, 1
_TIME_STATUS_NP = 0xC000


def _ns(high, low, nanoseconds):
    return (high << 32 | low) * 10**9 + nanoseconds


def signaled_samples(message):
    """The samples in a Signaling message of a slave_event_monitor."""
    assert message[0] & 15 == _SIGNALING and struct.unpack_from("!H", message, 2)[0] == len(message), message.hex()
    at, found = _HEADER_AND_TARGET, []
    while at < len(message):
        kind, length = struct.unpack_from("!HH", message, at)
        value = message[at + 4:at + 4 + length]
        assert len(value) == length, message.hex()
        clock, port = _PORT_IDENTITY.unpack_from(value)
        source, records = (clock.hex(), port), value[_PORT_IDENTITY.size:]
        if kind == _SLAVE_RX_SYNC_TIMING_DATA:
            for number, *origin, correction, _, high, low, ns in _SYNC_RECORD.iter_unpack(records):
                found.append(SyncSample(source, number, _ns(*origin), correction, _ns(high, low, ns)))
        elif kind == _SLAVE_DELAY_TIMING_DATA_NP:
            for number, *origin, correction, high, low, ns in _DELAY_RECORD.iter_unpack(records):
                found.append(DelaySample(source, number, _ns(*origin), correction, _ns(high, low, ns)))
        else:
            raise AssertionError(f"TLV {kind:#x}: {message.hex()}")
        at += 4 + length
    return found


def _get_time_status(major_sdo_id):
    body = struct.pack("!8sHBBBBHHH", b"\xff" * 8, 0xFFFF, 0, 0, _GET, 0, _TLV_MANAGEMENT, 2, _TIME_STATUS_NP)
    return struct.pack("!BBHBBHq4x8sHHBb", major_sdo_id << 4 | _MANAGEMENT, 2, 34 + len(body), 0, 0, 0, 0, bytes(8), 1,
                       1, 4, 0x7F) + body


def _time_status(message):
    """(ingress time, offset), both ns; None: not such an answer."""
    if len(message) < 70 or message[0] & 15 != _MANAGEMENT or message[46] & 15 != _RESPONSE:
        return None
    kind, _, identifier = struct.unpack_from("!HHH", message, 48)
    if (kind, identifier) != (_TLV_MANAGEMENT, _TIME_STATUS_NP):
        return None
    offset, ingress = struct.unpack_from("!qq", message, 54)
    return ingress, offset


class Samples:
    """Collects what one ptp4l says. Its sockets must be there before it starts: give monitor_path to it as
    slave_event_monitor, then call start()."""

    ASKING_PERIOD = 0.01  # s; a Sync comes every 125 ms

    def __init__(self, lab, name):
        self.monitor_path = lab.directory / f"{name}.slave-events"
        self._monitor = self._bound(lab, self.monitor_path)
        self._client = self._bound(lab, lab.directory / f"{name}.client")
        self._stop = threading.Event()
        self._thread = None
        self._failure = None
        self._process = self._uds = self._question = None
        self.syncs, self.delays = [], []
        self.offsets = {}  # by ingress time: the offsets that were told with it

    @staticmethod
    def _bound(lab, path):
        made = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        lab.opened.append(made)
        made.bind(str(path))
        return made

    def start(self, ptp4l):
        self._process = ptp4l.process
        settings = settings_of(ptp4l.process.argv)
        self._uds = settings["uds_address"]
        self._question = _get_time_status(int(settings.get("transportSpecific", "0"), 0))
        self._thread = threading.Thread(target=self._collect, daemon=True)
        self._thread.start()

    def stop(self):
        """To be called while ptp4l still runs."""
        self._stop.set()
        self._thread.join()
        if self._failure:
            raise self._failure

    def raw_delays(self):
        """Of ptp4l's log, in order, ns. Call it after its end."""
        return [int(raw) for raw in re.findall(r": delay +filtered +-?\d+ +raw +(-?\d+)$", self._process.stdout, re.M)]

    def _collect(self):
        try:
            asked = 0.0
            while not self._stop.is_set():
                if time.monotonic() - asked >= self.ASKING_PERIOD:
                    asked = time.monotonic()
                    self._ask()
                for ready in select.select([self._monitor, self._client], [], [], self.ASKING_PERIOD / 2)[0]:
                    self._take(ready)
        except Exception as failure:  # told by stop(), in the test's own thread
            self._failure = failure

    def _ask(self):
        try:
            self._client.sendto(self._question, self._uds)
        except (FileNotFoundError, ConnectionRefusedError, BlockingIOError):
            pass  # it does not listen yet, or has enough to do

    def _take(self, ready):
        message = ready.recv(4096)
        if ready is self._client:
            status = _time_status(message)
            if status is not None:
                self.offsets.setdefault(status[0], set()).add(status[1])
            return
        for sample in signaled_samples(message):
            (self.syncs if isinstance(sample, SyncSample) else self.delays).append(sample)
