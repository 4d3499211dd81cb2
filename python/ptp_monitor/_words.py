# SPDX-License-Identifier: MIT
"""Values as words, as the library and linuxptp write them."""
from . import _structures as c

DIRECTION_NAMES = {c.DIRECTION_RX: "RX", c.DIRECTION_TX: "TX"}
TRANSPORT_NAMES = {c.TRANSPORT_ETHERNET: "Ethernet", c.TRANSPORT_UDP_IPV4: "UDP/IPv4", c.TRANSPORT_UDP_IPV6: "UDP/IPv6"}
STAMP_KINDS = {c.STAMP_NONE: "none", c.STAMP_REGISTERS: "registers", c.STAMP_METADATA: "metadata"}

# IEEE 1588-2019, table 36.
MESSAGE_TYPE_NAMES = {
    0x0: "Sync",
    0x1: "Delay_Req",
    0x2: "Pdelay_Req",
    0x3: "Pdelay_Resp",
    0x8: "Follow_Up",
    0x9: "Delay_Resp",
    0xA: "Pdelay_Resp_Follow_Up",
    0xB: "Announce",
    0xC: "Signaling",
    0xD: "Management",
}


def port_identity(clockIdentity: bytes, portNumber: int) -> str:
    """Like 0200e2.fffe.e20001-1."""
    digits = clockIdentity.hex()
    return f"{digits[:6]}.{digits[6:10]}.{digits[10:]}-{portNumber}"


def mac_address(address: bytes) -> str:
    """Like 02:00:e2:e2:00:01."""
    return ":".join(f"{byte:02x}" for byte in address)
