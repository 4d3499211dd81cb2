# SPDX-License-Identifier: MIT
"""The interfaces that can be monitored."""
import ctypes
from dataclasses import dataclass
from typing import List, Optional, Tuple

from . import _structures as c
from ._library import library, text_of


@dataclass(frozen=True)
class Interface:
    """An interface with Ethernet framing, and what it can stamp."""

    name: str
    index: int
    kind: str  #: "ethernet", "veth", "bridge", "bond", "vlan", "loopback" or "other"
    driver: str  #: "" = not known
    mac: bytes  #: 6 bytes
    up: bool  #: switched on, and with a carrier
    lower: Tuple[str, ...]  #: the devices under it
    prefer_lower: bool  #: name those instead: frames pass the card there, and only there are they stamped
    stamping: int  #: PTPMON_CAN_... and PTPMON_ON_... of ptpmon.h; see the properties
    phc_index: Optional[int]  #: /dev/ptpN; None = no clock of its own
    rx_queues: int
    tx_queues: int
    description: str = ""  #: Windows: what the adapter is, "Intel(R) Ethernet Controller I226-V"
    guid: str = ""  #: Windows: "{...}", as in \Device\NPF_{...} of Npcap

    @property
    def can_stamp_rx_hardware(self) -> bool:
        """Whether the card can stamp received PTP frames; some of them at least."""
        return bool(self.stamping & c.CAN_RX_HARDWARE)

    @property
    def can_stamp_tx_hardware(self) -> bool:
        """Whether the card can stamp sent frames."""
        return bool(self.stamping & c.CAN_TX_HARDWARE)

    @property
    def stamps_rx_hardware(self) -> bool:
        """Whether the card's RX stamps are switched on."""
        return bool(self.stamping & c.ON_RX_HARDWARE)

    @property
    def stamps_tx_hardware(self) -> bool:
        """Whether the card's TX stamps are switched on."""
        return bool(self.stamping & c.ON_TX_HARDWARE)


def _interface(one: c.ptpmon_interface) -> Interface:
    lower = text_of(one.lower)
    return Interface(
        name=text_of(one.name), index=one.index, kind=c.INTERFACE_KINDS[one.kind], driver=text_of(one.driver),
        mac=bytes(one.mac), up=one.up, lower=tuple(lower.split(", ")) if lower else (), prefer_lower=one.prefer_lower,
        stamping=one.stamping, phc_index=one.phc_index if one.phc_index >= 0 else None, rx_queues=one.rx_queues,
        tx_queues=one.tx_queues, description=text_of(one.description), guid=text_of(one.guid))


def interfaces() -> List[Interface]:
    """The interfaces of this system (Linux: of the thread's network namespace), by index. Needs no rights."""
    found = ctypes.POINTER(c.ptpmon_interface)()
    count = ctypes.c_size_t()
    library().status("ptpmon_interfaces", ctypes.byref(found), ctypes.byref(count))
    try:
        return [_interface(found[i]) for i in range(count.value)]
    finally:
        library().call("ptpmon_interfaces_free", found)
