# SPDX-License-Identifier: MIT
"""
What a monitor tells: events, readings of the clocks, losses. All are immutable.

Clocks, all in ns. "Event time", system_timestamp, is the clock of the driver side (Linux: CLOCK_MONOTONIC; Windows:
performance counter). "System clock" is UTC since 1970 (Linux: CLOCK_REALTIME). The NIC's clock (PHC) has a time scale of
its own. The three are related only by ClocksReading.
"""
import struct
from typing import Iterator, NamedTuple, Union

from . import _structures as c
from . import _words as words


class _Message:
    """What every PTP message has, whoever saw it."""

    __slots__ = ()

    direction: int
    messageType: int
    sequenceId: int
    domainNumber: int
    sourceMac: bytes
    stamp: int
    vlanId: int
    pcp: int
    clockIdentity: bytes
    portNumber: int
    sdoId: int
    flags: int
    transport: int
    version: int

    @property
    def direction_name(self) -> str:
        """"RX", "TX", or "unknown"."""
        return words.DIRECTION_NAMES.get(self.direction, "unknown")

    @property
    def messageType_name(self) -> str:
        """"Sync", "Delay_Req", ... as the standard spells them; "reserved" for the unassigned."""
        return words.MESSAGE_TYPE_NAMES.get(self.messageType, "reserved")

    @property
    def sourcePortIdentity(self) -> str:
        """clockIdentity and portNumber as linuxptp writes them: 0200e2.fffe.e20001-1."""
        return words.port_identity(self.clockIdentity, self.portNumber)

    @property
    def sourceMac_text(self) -> str:
        """Like 02:00:e2:e2:00:01."""
        return words.mac_address(self.sourceMac)

    @property
    def transport_name(self) -> str:
        """"Ethernet", "UDP/IPv4" or "UDP/IPv6"."""
        return words.TRANSPORT_NAMES.get(self.transport, "unknown")

    @property
    def versionPTP(self) -> int:
        """The protocol's major version: 2."""
        return self.version & 0x0F

    @property
    def minorVersionPTP(self) -> int:
        """The protocol's minor version: 1 with IEEE 1588-2019."""
        return self.version >> 4

    @property
    def majorSdoId(self) -> int:
        """1 with IEEE 802.1AS."""
        return self.sdoId >> 8

    @property
    def minorSdoId(self) -> int:
        """The lower 8 bits of sdoId."""
        return self.sdoId & 0xFF

    @property
    def is_tagged(self) -> bool:
        """Whether the frame carries a VLAN tag; a priority tag has vlanId 0."""
        return bool(self.stamp & c.STAMP_VLAN)

    @property
    def has_more_tags(self) -> bool:
        """Whether further tags follow the outermost one (QinQ)."""
        return bool(self.stamp & c.STAMP_MORE_TAGS)

    def _identity_text(self) -> str:
        vlan = f" vlanId={self.vlanId} pcp={self.pcp}" if self.is_tagged else ""
        return (f"{self.direction_name} {self.messageType_name} {self.sequenceId} domain {self.domainNumber} from "
                f"{self.sourcePortIdentity}{vlan}")


class _EventFields(NamedTuple):
    hw_timestamp_ns: int
    system_timestamp: int
    direction: int
    messageType: int
    sequenceId: int
    domainNumber: int
    sourceMac: bytes
    stamp: int
    vlanId: int
    pcp: int
    queueId: int
    clockIdentity: bytes
    portNumber: int
    sdoId: int
    flags: int
    transport: int
    version: int
    software_timestamp: int
    sequence: int


class PtpTimestampEvent(_EventFields, _Message):
    """This PTP frame passed here, at these times. The fields are those of PTP_TIMESTAMP_EVENT, in its order.

    ===================== =============================================================================================
    hw_timestamp_ns       time at the NIC, ns on the NIC's own clock (PHC); 0 = none, never a substitute
    system_timestamp      when the driver side saw the frame, event time
    direction             0 RX, 1 TX
    messageType           0-15
    sequenceId            0-65535
    domainNumber          0-255
    sourceMac             6 bytes, Ethernet source address
    stamp                 bits: see the properties below
    vlanId                of the outermost tag on the wire; 0 = untagged or priority tag
    pcp                   of the same tag, 0-7
    queueId               hardware queue; 255 = not known
    clockIdentity         8 bytes, sourcePortIdentity's first part
    portNumber            its second part
    sdoId                 12 bits: majorSdoId << 8 | minorSdoId
    flags                 flagField, octet 0 in the high byte
    transport             0 Ethernet, 1 UDP/IPv4, 2 UDP/IPv6
    version               minorVersionPTP << 4 | versionPTP
    software_timestamp    the network stack's own stamp, ns: Linux UTC since 1970, Windows event time; 0 = none
    sequence              a number of the ring; says nothing about loss
    ===================== =============================================================================================
    """

    __slots__ = ()

    @property
    def has_hw_timestamp(self) -> bool:
        """Whether the NIC stamped the frame."""
        return self.hw_timestamp_ns != 0

    @property
    def has_software_timestamp(self) -> bool:
        """Whether the network stack stamped the frame."""
        return self.software_timestamp != 0

    @property
    def stamp_kind(self) -> str:
        """Where hw_timestamp_ns comes from: "none", "registers" (of the NIC) or "metadata" (of the packet)."""
        return words.STAMP_KINDS.get(self.stamp & c.STAMP_KIND_MASK, "unknown")

    @property
    def is_late(self) -> bool:
        """Whether this is no frame, but the stamp of a TX frame reported earlier; in records only, not in events."""
        return bool(self.stamp & c.STAMP_LATE)

    @property
    def stamp_expected(self) -> bool:
        """Whether a TX stamp was asked for and is still to come; in records only, an event has it or misses it."""
        return bool(self.stamp & c.STAMP_EXPECTED)

    @property
    def stamp_missing(self) -> bool:
        """Whether the TX stamp that was asked for never came."""
        return bool(self.stamp & c.STAMP_MISSING)

    @property
    def queue_known(self) -> bool:
        """Whether queueId is a queue."""
        return self.queueId != c.QUEUE_UNKNOWN

    def __repr__(self) -> str:
        text = f"<PtpTimestampEvent {self._identity_text()} system_timestamp={self.system_timestamp}"
        if self.has_hw_timestamp:
            text += f" hw_timestamp_ns={self.hw_timestamp_ns}"
        if self.has_software_timestamp:
            text += f" software_timestamp={self.software_timestamp}"
        if self.queue_known:
            text += f" queueId={self.queueId}"
        if self.is_late:
            text += " late stamp"
        if self.stamp_missing:
            text += " stamp missing"
        return text + ">"


class ClocksReading(NamedTuple):
    """The clocks, read together (PTP_CLOCKS_RECORD)."""

    hw_timestamp_ns: int  #: the NIC's clock (PHC), ns; 0 = not read
    system_timestamp: int  #: the same instant in event time
    realtime_ns: int  #: the same instant on the system clock, UTC ns since 1970
    hw_uncertainty_ns: int  #: hw_timestamp_ns against realtime_ns, +- ns
    realtime_uncertainty_ns: int  #: realtime_ns against system_timestamp, +- ns


class Loss(NamedTuple):
    """Something was dropped between `since` (exclusive) and `system_timestamp` (inclusive), event time (PTP_LOSS_RECORD)."""

    since: int
    system_timestamp: int
    frames_dropped: int  #: frames whose events were dropped; by_capture: frames that the capture lost
    stamps_dropped: int  #: late stamps that were dropped
    by_capture: bool  #: False: the monitor dropped records. True: the capture lost frames


Record = Union[PtpTimestampEvent, ClocksReading, Loss]

_EVENT = struct.Struct("=QQBBHB6sBHBB8sHHHBBQQ")
_DIRECTION_OFFSET = 16
assert _EVENT.size == c.RECORD_BYTES


def event_at(data: "Union[bytes, bytearray, memoryview]", offset: int = 0) -> PtpTimestampEvent:
    """The event whose 64 bytes begin at this offset."""
    return PtpTimestampEvent._make(_EVENT.unpack_from(data, offset))


def clocks_of(record: c.PTP_CLOCKS_RECORD) -> ClocksReading:
    """The same, as Python has it."""
    return ClocksReading(record.hw_timestamp_ns, record.system_timestamp, record.realtime_ns, record.hw_uncertainty_ns,
                         record.realtime_uncertainty_ns)


def loss_of(record: c.PTP_LOSS_RECORD, by_capture: bool = False) -> Loss:
    """The same, as Python has it."""
    return Loss(record.since, record.system_timestamp, record.frames_dropped, record.stamps_dropped, by_capture)


def records_in(data: "Union[bytes, bytearray, memoryview]", count: int) -> Iterator[Record]:
    """The records that lie one after the other; those of a kind that is not known are passed over."""
    for offset in range(0, count * c.RECORD_BYTES, c.RECORD_BYTES):
        direction = data[offset + _DIRECTION_OFFSET]
        if direction <= c.DIRECTION_TX:
            yield event_at(data, offset)
        elif direction == c.DIRECTION_CLOCKS:
            yield clocks_of(c.PTP_CLOCKS_RECORD.from_buffer_copy(data, offset))
        elif direction == c.DIRECTION_LOSS:
            yield loss_of(c.PTP_LOSS_RECORD.from_buffer_copy(data, offset))
