# SPDX-License-Identifier: MIT
"""
PTP messages, captures and recordings, written and read here without the library: what the tests hold against it.

IEEE 1588-2019 clauses 13.3 and 13.5 to 13.10, IEEE 802.1AS-2020 11.4, docs/recordings.md.
"""
import collections
import struct

SYNC, DELAY_REQ, PDELAY_REQ, PDELAY_RESP = 0, 1, 2, 3
FOLLOW_UP, DELAY_RESP, PDELAY_RESP_FOLLOW_UP, ANNOUNCE = 8, 9, 10, 11
RX, TX, CLOCKS, LOSS = 0, 1, 2, 3  # direction of a record
TWO_STEP = 0x0200  # flagField
STAMP_LATE, STAMP_KIND_MASK = 0x08, 0x07
TOO_BIG = 2**63 - 1  # correctionField

_HEADER = struct.Struct("!BBHBBHq4x8sHHBb")
_BODY_LENGTHS = {SYNC: 10, DELAY_REQ: 10, PDELAY_REQ: 20, PDELAY_RESP: 20, FOLLOW_UP: 10, DELAY_RESP: 20,
                 PDELAY_RESP_FOLLOW_UP: 20, ANNOUNCE: 30}
_CONTROL = {SYNC: 0, DELAY_REQ: 1, FOLLOW_UP: 2, DELAY_RESP: 3}
_ANSWERS = (PDELAY_RESP, DELAY_RESP, PDELAY_RESP_FOLLOW_UP)
_FOLLOW_UP_TLV = struct.Struct("!HH6siHhQHi")
_FOLLOW_UP_TLV_ID = bytes.fromhex("0080C2000001")

# correctionField in 2^-16 ns; seconds and nanoseconds of the message's one timestamp; source and requesting are
# (clockIdentity, portNumber), requesting None where the message has none; rate_offset is cumulativeScaledRateOffset of
# the Follow_Up information TLV, None without it.
Message = collections.namedtuple(
    "Message", "messageType sequenceId source correctionField seconds nanoseconds requesting rate_offset sdoId "
               "domainNumber flagField logMessageInterval minorVersionPTP",
    defaults=(0, 0, 0, None, None, 0, 0, 0, 0, 0))


def identity(clock, port=1):
    return clock.to_bytes(8, "big"), port


def identity_text(source):
    """As ptpmon writes it: 020000.fffe.000001-1."""
    text = source[0].hex()
    return f"{text[:6]}.{text[6:10]}.{text[10:]}-{source[1]}"


def build(message):
    """The bytes of a message."""
    body = struct.pack("!HII", message.seconds >> 32, message.seconds & 0xFFFFFFFF, message.nanoseconds)
    if message.messageType in _ANSWERS:
        body += message.requesting[0] + struct.pack("!H", message.requesting[1])
    body = body.ljust(_BODY_LENGTHS[message.messageType], b"\0")
    if message.rate_offset is not None:
        body += _FOLLOW_UP_TLV.pack(3, 28, _FOLLOW_UP_TLV_ID, message.rate_offset, 0, 0, 0, 0, 0)
    return _HEADER.pack(message.sdoId >> 8 << 4 | message.messageType, message.minorVersionPTP << 4 | 2,
                        _HEADER.size + len(body), message.domainNumber, message.sdoId & 0xFF, message.flagField,
                        message.correctionField, *message.source, message.sequenceId,
                        _CONTROL.get(message.messageType, 5), message.logMessageInterval) + body


def ethernet(payload, source=bytes.fromhex("020000000001")):
    """The message in an Ethernet frame of its own EtherType."""
    return (bytes.fromhex("011b19000000") + source + b"\x88\xf7" + payload).ljust(60, b"\0")


def _ptp_payload(frame):
    at = 12
    while frame[at:at + 2] in (b"\x81\x00", b"\x88\xa8"):
        at += 4
    ethertype, payload = frame[at:at + 2], frame[at + 2:]
    if ethertype == b"\x88\xf7":
        return payload
    if ethertype == b"\x08\x00" and payload[9] == 17:
        udp = payload[(payload[0] & 15) * 4:]
    elif ethertype == b"\x86\xdd" and payload[6] == 17:
        udp = payload[40:]
    else:
        return None
    return udp[8:] if struct.unpack_from("!H", udp, 2)[0] in (319, 320) else None


def parse(frame):
    """The message in an Ethernet frame; None: no PTPv2 message, or not whole."""
    payload = _ptp_payload(frame)
    if payload is None or len(payload) < 44 or payload[1] & 15 != 2:
        return None
    first, version, length, domain, minor_sdo, flags, correction, clock, port, sequence, _, interval = \
        _HEADER.unpack_from(payload)
    kind, body = first & 15, payload[_HEADER.size:length]
    if kind not in _BODY_LENGTHS or len(body) < _BODY_LENGTHS[kind]:
        return None
    high, low, nanoseconds = struct.unpack_from("!HII", body)
    requesting = (body[10:18], struct.unpack_from("!H", body, 18)[0]) if kind in _ANSWERS else None
    return Message(kind, sequence, (clock, port), correction, high << 32 | low, nanoseconds, requesting,
                   _rate_offset(body[_BODY_LENGTHS[kind]:]) if kind in (SYNC, FOLLOW_UP) else None,
                   first >> 4 << 8 | minor_sdo, domain, flags, interval, version >> 4)


def _rate_offset(tlvs):
    while len(tlvs) >= 4:
        kind, length = struct.unpack_from("!HH", tlvs)
        if kind == 3 and length >= 28 and tlvs[4:10] == _FOLLOW_UP_TLV_ID:
            return struct.unpack_from("!i", tlvs, 10)[0]
        tlvs = tlvs[4 + length:]
    return None


# ---- Captures ------------------------------------------------------------------------------

# number counts from 1; direction is RX, TX or None.
Frame = collections.namedtuple("Frame", "number time_ns direction data")

_BLOCK = struct.Struct("<II")
_FLAGS = {None: 0, RX: 1, TX: 2}
_DIRECTIONS = {flags: direction for direction, flags in _FLAGS.items()}


def _block(kind, body):
    length = 12 + len(body)
    return _BLOCK.pack(kind, length) + body + struct.pack("<I", length)


def option(code, value):
    return struct.pack("<HH", code, len(value)) + value + b"\0" * (-len(value) % 4)


def pcapng(frames):
    """A capture of one Ethernet interface, times in ns. frames: (time_ns, direction, data)."""
    blocks = [_block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1)),
              _block(1, struct.pack("<HHI", 1, 0, 0) + option(2, b"port") + option(9, b"\x09") + bytes(4))]
    for time_ns, direction, data in frames:
        fixed = struct.pack("<IIIII", 0, time_ns >> 32, time_ns & 0xFFFFFFFF, len(data), len(data))
        options = option(2, struct.pack("<I", _FLAGS[direction])) + bytes(4)
        blocks.append(_block(6, fixed + data + b"\0" * (-len(data) % 4) + options))
    return b"".join(blocks)


def read_pcapng(path):
    """The frames of a little-endian capture whose interfaces have times in ns, as ptpmon writes it."""
    content = path.read_bytes()
    at, number, found = 0, 0, []
    while at + 12 <= len(content):
        kind, length = _BLOCK.unpack_from(content, at)
        if length < 12 or at + length > len(content):
            break
        if kind == 6:
            _, high, low, captured, _ = struct.unpack_from("<IIIII", content, at + 8)
            number += 1
            data = content[at + 28:at + 28 + captured]
            options = content[at + 28 + captured + -captured % 4:at + length - 4]
            found.append(Frame(number, high << 32 | low, _direction(options), data))
        at += length
    return found


def _direction(options):
    while len(options) >= 4:
        code, length = struct.unpack_from("<HH", options)
        if code == 2:
            return _DIRECTIONS[struct.unpack_from("<I", options, 4)[0] & 3]
        options = options[4 + length + -length % 4:]
    return None


# ---- Events --------------------------------------------------------------------------------

_RECORD = struct.Struct("<QQBBHB6sBHBB8sHHHBBQQ")
Record = collections.namedtuple(
    "Record", "hw_timestamp_ns system_timestamp direction messageType sequenceId domainNumber sourceMac stamp vlanId "
              "pcp queueId clockIdentity portNumber sdoId flags transport version software_timestamp sequence")


def read_events(path):
    """The records of a little-endian recording; a CLOCKS record has realtime_ns as software_timestamp."""
    content = path.read_bytes()
    assert content[:8] == b"PTPMONEV" and content[8:12] == b"\4\3\2\1"
    whole = len(content) - (len(content) - 4096) % _RECORD.size
    return [Record._make(fields) for fields in _RECORD.iter_unpack(content[4096:whole])]
