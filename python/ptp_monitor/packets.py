# SPDX-License-Identifier: MIT
"""
Frames out of the packets of scapy and pyshark. Neither is imported: a packet is known by its attributes.

scapy: Ethernet packets with their `time`, from rdpcap(), PcapReader, sniff(), AsyncSniffer.results or a generator.
pyshark: packets of FileCapture or LiveCapture, as they are (the frame is put together from the fields' places and
values) or with use_json=True, include_raw=True (the frame as captured).
"""
import datetime
import decimal
import math
from typing import Any, Dict, Iterable, NamedTuple, Optional, Tuple

from . import _structures as c
from .errors import InvalidUse

_ETHERNET_HEADER = 14
_FLAG_INBOUND, _FLAG_OUTBOUND = 1, 2  # of pcapng's epb_flags
_DIRECTIONS = {_FLAG_INBOUND: c.DIRECTION_RX, _FLAG_OUTBOUND: c.DIRECTION_TX}
_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)


class GivenFrame(NamedTuple):
    """An Ethernet frame as somebody else captured it."""

    time_ns: int  #: capture time, ns since 1970
    data: bytes  #: from the destination address on
    length: int  #: on the wire, bytes
    resolution_ns: int  #: of time_ns
    direction: int  #: 0 RX, 1 TX, 255 not known
    interface: str  #: where it was captured; "" = not known


def frame_of(packet: Any) -> Optional[GivenFrame]:
    """The frame of a packet; None: it is no Ethernet frame. TypeError: it is a packet of neither package."""
    if hasattr(packet, "sniff_timestamp"):
        return _frame_of_pyshark(packet)
    if hasattr(packet, "time") and hasattr(packet, "original"):
        return _frame_of_scapy(packet)
    raise TypeError(f"{type(packet).__name__}: not a packet of scapy or pyshark")


# ---- Times ----

def nanoseconds(time: Any) -> Tuple[int, int]:
    """Seconds since 1970 as (ns, resolution in ns). Exact for Decimal and text; a float resolves no better than 1 us."""
    if isinstance(time, float):
        seconds = math.floor(time)
        return seconds * 10**9 + round((time - seconds) * 1e9), 1000
    if isinstance(time, str):
        time = _decimal_of_text(time)
    value = int(decimal.Decimal(time).scaleb(9).to_integral_value())
    return value, 1 if value % 1000 else 1000


def _decimal_of_text(text: str) -> decimal.Decimal:
    """Seconds as tshark writes them: a number, or (4.4 and later) a date like 2026-01-02T03:04:05.678901234Z."""
    try:
        return decimal.Decimal(text)
    except decimal.InvalidOperation:
        pass
    date, _, fraction = text.rstrip("Z").partition(".")
    try:
        whole = datetime.datetime.strptime(date, "%Y-%m-%dT%H:%M:%S").replace(tzinfo=datetime.timezone.utc)
        seconds = (whole - _EPOCH) // datetime.timedelta(seconds=1)
        return decimal.Decimal(f"{seconds}.{fraction or 0}")
    except (ValueError, decimal.InvalidOperation):
        raise InvalidUse(f"{text}: not a capture time; give packets as tshark and pyshark deliver them") from None


# ---- scapy ----

def _frame_of_scapy(packet: Any) -> Optional[GivenFrame]:
    if not any(kind.__name__ in ("Ether", "Dot3") for kind in type(packet).__mro__):
        return None
    data = packet.original if packet.original and _is_as_dissected(packet) else bytes(packet)
    time_ns, resolution_ns = nanoseconds(packet.time)
    length = getattr(packet, "wirelen", None) or len(data)
    interface = getattr(packet, "sniffed_on", None)
    return GivenFrame(time_ns, data, max(length, len(data)), resolution_ns,
                      _DIRECTIONS.get(getattr(packet, "direction", None) or 0, c.DIRECTION_UNKNOWN), str(interface or ""))


def _is_as_dissected(packet: Any) -> bool:
    """Whether nothing was changed since: scapy forgets the bytes of a layer whose field is set."""
    while packet:
        if packet.raw_packet_cache is None:
            return False
        packet = packet.payload
    return True


# ---- pyshark ----

def _frame_of_pyshark(packet: Any) -> Optional[GivenFrame]:
    data = _raw_of_pyshark(packet)
    if data is None:
        data = _rebuild(packet)
    if data is None:
        return None
    time_ns, resolution_ns = nanoseconds(packet.sniff_timestamp)
    about = packet.frame_info
    flags = _number(_value(about, "packet_flags_direction"))
    return GivenFrame(time_ns, data, max(_number(packet.length) or 0, len(data)), resolution_ns,
                      _DIRECTIONS.get(flags or 0, c.DIRECTION_UNKNOWN), _value(about, "interface_name") or "")


def _value(layer: Any, field: str) -> Optional[str]:
    try:
        return str(getattr(layer, field))
    except AttributeError:
        return None


def _number(text: Any) -> Optional[int]:
    """Of a field's text: 12, 0x0c."""
    try:
        return int(str(text), 0)
    except ValueError:
        return None


def _raw_of_pyshark(packet: Any) -> Optional[bytes]:
    """The frame as captured, which a packet has with use_json=True, include_raw=True."""
    if not any(layer.layer_name.lower() == "frame_raw" for layer in packet.layers):
        return None
    return bytes(packet.get_raw_packet())


def _rebuild(packet: Any) -> Optional[bytes]:
    """Puts the bytes of all fields where they lay in the frame. What tshark did not take apart is left 0."""
    if not any(layer.layer_name == "eth" for layer in packet.layers):
        return None
    pieces = dict(_pieces(packet.layers))
    captured = _number(packet.captured_length)
    end = captured if captured is not None else max((at + len(piece) for at, piece in pieces.items()), default=0)
    frame = bytearray(end)
    header = 0
    for at, piece in sorted(pieces.items()):
        if at + len(piece) <= end:
            frame[at:at + len(piece)] = piece
            header += len(piece) if at < _ETHERNET_HEADER else 0
    if header < min(_ETHERNET_HEADER, end):
        raise InvalidUse(f"packet {packet.number}: its fields come without their bytes; open the capture with "
                         "use_json=True, include_raw=True, or without use_json and use_ek")
    return bytes(frame)


def _pieces(layers: Iterable[Any]) -> "Iterable[Tuple[int, bytes]]":
    """The fields that are bytes of the frame, the longest for each place."""
    longest: Dict[int, bytes] = {}
    for layer in layers:
        for name in layer.field_names:
            field = layer.get_field(name)
            for one in getattr(field, "all_fields", None) or ():
                at, piece = _bytes_of_field(one)
                if piece and len(piece) > len(longest.get(at, b"")):
                    longest[at] = piece
    return longest.items()


def _bytes_of_field(field: Any) -> Tuple[int, bytes]:
    """Where a field lies, and its bytes: of a bit field the whole of what it is part of."""
    digits = getattr(field, "unmaskedvalue", None) or getattr(field, "raw_value", None)
    at, size = _number(getattr(field, "pos", None)), _number(getattr(field, "size", None))
    if digits is None or at is None or size is None or len(digits) != 2 * size:
        return 0, b""
    try:
        return at, bytes.fromhex(digits)
    except ValueError:
        return 0, b""
