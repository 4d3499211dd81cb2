# SPDX-License-Identifier: MIT
"""Recordings: what Python says of them is what the C library says, byte by byte."""
import gc
import pathlib
import struct
import subprocess

import numpy as np
import pytest

import ptp_monitor
from ptp_monitor import ClocksReading, Loss, PtpTimestampEvent, Recording, arrays
from ptp_monitor import _structures as c

HEADER_BYTES, RECORD_BYTES = 4096, 64


def truth(program, *arguments):
    return subprocess.run([program, *arguments], stdout=subprocess.PIPE, check=True, text=True).stdout.splitlines()


@pytest.fixture
def recording(demo):
    return Recording(demo.with_suffix(".events"))


def bytes_of(record):
    """A record as C has it."""
    if isinstance(record, PtpTimestampEvent):
        return struct.pack("=QQBBHB6sBHBB8sHHHBBQQ", *record)
    made = c.PTP_CLOCKS_RECORD(direction=c.DIRECTION_CLOCKS, **record._asdict())
    return bytes(made)


# ---- The events door ----

def test_records_are_those_of_the_library(recording, truth_program):
    expected = truth(truth_program, "events", recording.path)
    read = list(recording.read_records())
    assert [bytes_of(record).hex() for record in read] == expected
    assert {type(record) for record in read} == {PtpTimestampEvent, ClocksReading}


def test_events_are_the_records_of_frames(recording):
    events = list(recording.read_events())
    assert events == [record for record in recording.read_records() if isinstance(record, PtpTimestampEvent)]
    assert len(events) > 50 and not any(event.is_late for event in events)


def test_iterations_are_independent(recording):
    first, second = recording.read_events(), recording.read_events()
    one = next(first)
    assert next(second) == one
    assert [one, *first] == [one, *second]


def test_late_stamps_are_joined(recording):
    records = recording.records
    in_file = int(np.count_nonzero((records["direction"] <= 1) & ((records["stamp"] & c.STAMP_LATE) != 0)))
    joined = [event for event in recording.read_events() if event.direction == c.DIRECTION_TX and event.has_software_timestamp]
    assert in_file == len(joined) == recording.get_statistics()["stamps_joined"] > 0


# ---- The file ----

def test_header(recording):
    header = recording.header
    assert (header.host, header.interface_name, header.interface_guid) == ("demo", "client0", "")
    assert (header.system_clock, header.software_clock, header.hw_clock) == ("monotonic", "realtime", "none")
    assert (header.phc_index, header.system_clock_hz) == (None, 10**9)
    assert (header.format_version, header.abi_version, len(header.mac)) == (1, 1, 6)
    with pytest.raises(AttributeError):
        header.host = "another"


def test_length(recording):
    size = pathlib.Path(recording.path).stat().st_size
    assert len(recording) == (size - HEADER_BYTES) // RECORD_BYTES
    assert str(len(recording)) in repr(recording)


def test_array_is_the_file(recording):
    records = recording.records
    assert isinstance(records, np.memmap) and not records.flags.owndata and not records.flags.writeable
    assert records.tobytes() == pathlib.Path(recording.path).read_bytes()[HEADER_BYTES:]
    with pytest.raises(ValueError):
        records["sequenceId"] = 0
    with pytest.raises(ValueError):
        records.flags.writeable = True


def test_chosen_records(recording):
    events, clocks, losses = recording.events, recording.clocks, recording.losses
    of_door = list(recording.read_records())
    assert [int(value) for value in events["system_timestamp"]] == sorted(
        event.system_timestamp for event in of_door if isinstance(event, PtpTimestampEvent))
    assert [tuple(int(row[name]) for name in ClocksReading._fields) for row in clocks] == [
        tuple(reading) for reading in of_door if isinstance(reading, ClocksReading)]
    assert events.dtype == ptp_monitor.EVENT_DTYPE and clocks.dtype == ptp_monitor.CLOCKS_DTYPE
    assert losses.dtype == ptp_monitor.LOSS_DTYPE and len(losses) == 0


def test_dtypes_are_the_structures():
    for dtype, mirror in ((arrays.EVENT_DTYPE, c.PTP_TIMESTAMP_EVENT), (arrays.CLOCKS_DTYPE, c.PTP_CLOCKS_RECORD),
                          (arrays.LOSS_DTYPE, c.PTP_LOSS_RECORD)):
        assert dtype.itemsize == RECORD_BYTES
        assert {name: dtype.fields[name][1] for name in dtype.names} == {
            name: getattr(mirror, name).offset for name, _ in mirror._fields_}


def test_array_outlives_the_recording(demo):
    records = Recording(demo.with_suffix(".events")).records
    gc.collect()
    assert np.all(records["system_timestamp"] > 0)


def test_statistics(recording):
    statistics = recording.get_statistics()
    assert statistics["frames_emitted"] == statistics["frames_seen"] == len(list(recording.read_events()))
    assert statistics["events_dropped"] == 0
    assert statistics["events_emitted"] == statistics["frames_emitted"] + statistics["stamps_emitted"]
    assert set(statistics) == {name for name, _ in c.ptpmon_statistics._fields_}


# ---- Losses, cut files, what is no recording ----

@pytest.fixture
def copy(demo, tmp_path):
    """Writes a changed copy of the recording and returns its path."""
    content = demo.with_suffix(".events").read_bytes()

    def write(change):
        path = tmp_path / "changed.events"
        path.write_bytes(change(content))
        return path
    return write


def test_losses(copy):
    loss = c.PTP_LOSS_RECORD(direction=c.DIRECTION_LOSS, system_timestamp=2, since=1, frames_dropped=3, stamps_dropped=4)
    recording = Recording(copy(lambda content: content[:HEADER_BYTES] + bytes(loss) + content[HEADER_BYTES:]))
    assert [record for record in recording.read_records() if isinstance(record, Loss)] == [Loss(1, 2, 3, 4, False)]
    assert [int(value) for value in recording.losses[["since", "frames_dropped"]][0]] == [1, 3]
    assert recording.get_statistics()["frames_dropped"] == 3


@pytest.mark.parametrize("extra", [0, 1, 63])
def test_file_that_is_cut_off(copy, extra):
    recording = Recording(copy(lambda content: content[:HEADER_BYTES + 20 * RECORD_BYTES + extra]))
    assert len(recording) == len(recording.records) == 20
    assert len(list(recording.read_records())) <= 20


def test_no_records(copy):
    recording = Recording(copy(lambda content: content[:HEADER_BYTES]))
    assert len(recording) == len(recording.records) == len(recording.clocks) == 0
    assert list(recording.read_records()) == []


@pytest.mark.parametrize("change", [
    lambda content: b"",
    lambda content: content[:4095],
    lambda content: b"X" + content[1:],
    lambda content: content[:8] + content[8:12][::-1] + content[12:],
    lambda content: content[:12] + struct.pack("=I", 9) + content[16:],
], ids=["empty", "cut header", "magic", "byte order", "future"])
def test_no_recording(copy, change):
    path = copy(change)
    with pytest.raises(ptp_monitor.BadFile, match="changed.events"):
        Recording(path)


def test_no_file(tmp_path):
    with pytest.raises(ptp_monitor.SystemFailure, match="missing.events.*No such file"):
        Recording(tmp_path / "missing.events")
    with pytest.raises(ptp_monitor.PtpMonitorError):
        Recording(tmp_path)


def test_name_that_is_not_ascii(demo, tmp_path):
    path = tmp_path / "Aufzeichnung-öäü-\udcff.events"
    path.write_bytes(demo.with_suffix(".events").read_bytes())
    assert len(list(Recording(path).read_events())) > 50
    assert len(Recording(str(path)).records) > 50


def test_objects_are_freed(recording):
    """Each iteration maps the file; that goes with the iterator, whether it came to its end or not."""
    def mappings():
        return pathlib.Path("/proc/self/maps").read_text().count(recording.path)

    for _ in range(20):
        next(recording.read_events())
        list(recording.read_events())
    pairs = recording.correlate_with_npcap(recording.path.replace(".events", ".pcapng"))
    next(pairs)
    del pairs
    gc.collect()
    assert mappings() == 0
