# SPDX-License-Identifier: MIT
"""Recordings as another system would have written them, and captures in another format."""
import struct

EVENTS_HEADER = 4096
RECORD = 64
NS = 10**9

RX, TX, CLOCKS, LOSS = range(4)
CLOCK_QPC = 2


def in_ticks(events, hz, software_ticks):
    """The bytes of a recording whose times are ns, as of a host whose counter has this rate."""
    header = bytearray(events[:EVENTS_HEADER])
    struct.pack_into("<Q", header, 32, hz)
    struct.pack_into("<I", header, 44, CLOCK_QPC)
    if software_ticks:
        struct.pack_into("<I", header, 48, CLOCK_QPC)
    records = [bytearray(events[at:at + RECORD]) for at in range(EVENTS_HEADER, len(events) - RECORD + 1, RECORD)]
    realtime_ahead = 0
    for record in records:
        system, = struct.unpack_from("<Q", record, 8)
        stamp, = struct.unpack_from("<Q", record, 48)
        kind = record[16]
        if kind == CLOCKS:
            realtime_ahead = stamp - system
        elif kind == LOSS:
            since, = struct.unpack_from("<Q", record, 40)
            struct.pack_into("<Q", record, 40, since * hz // NS)
        elif stamp and software_ticks:
            struct.pack_into("<Q", record, 48, (stamp - realtime_ahead) * hz // NS)
        struct.pack_into("<Q", record, 8, system * hz // NS)
    return bytes(header) + b"".join(records)


def frames_of(pcapng):
    """(ns, bytes, length on the wire) of each frame; of ptpmon's own files, on a little-endian host."""
    at = 0
    while at < len(pcapng):
        kind, length = struct.unpack_from("<II", pcapng, at)
        if kind == 6:
            _, high, low, captured, wire = struct.unpack_from("<IIIII", pcapng, at + 8)
            yield high << 32 | low, pcapng[at + 28:at + 28 + captured], wire
        at += length


def as_pcap(pcapng, nanoseconds, order="<", times=1, apart=0):
    unit = 1 if nanoseconds else 1000
    parts = [struct.pack(order + "IHHIIII", 0xA1B23C4D if nanoseconds else 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)]
    for i in range(times):
        for time, frame, wire in frames_of(pcapng):
            seconds, fraction = divmod(time + i * apart, NS)
            parts.append(struct.pack(order + "IIII", seconds, fraction // unit, len(frame), wire) + frame)
    return b"".join(parts)


def repeated(events, times, apart):
    """A recording of the same again and again, so many ns apart."""
    parts = [events[:EVENTS_HEADER]]
    for i in range(times):
        records = bytearray(events[EVENTS_HEADER:])
        for at in range(0, len(records) - RECORD + 1, RECORD):
            for field in (8, 40) if records[at + 16] == LOSS else (8, 48):
                value, = struct.unpack_from("<Q", records, at + field)
                struct.pack_into("<Q", records, at + field, value + i * apart if value else 0)
        parts.append(records)
    return b"".join(parts)
