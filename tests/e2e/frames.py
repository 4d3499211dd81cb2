# SPDX-License-Identifier: MIT
"""Hand-made PTP frames."""
import struct

PTP_MULTICAST = bytes.fromhex("011b19000000")
SOURCE = bytes.fromhex("020000e2e001")

DOT1Q = 0x8100
DOT1AD = 0x88A8
ETHERTYPE_PTP = 0x88F7


def ptp(sequence_id, message_type=0, domain=0, port=1, clock=0x0200E2FFFEE20001, sdo_id=0, flags=0x0200):
    """A message of 44 bytes; their contents beyond the header are of no concern."""
    return struct.pack("!BBHBBH8s4sQHHBb10s", (sdo_id >> 8) << 4 | message_type, 0x02, 44, domain, sdo_id & 0xFF, flags,
                       bytes(8), bytes(4), clock, port, sequence_id, 0, 0x7F, bytes(10))


def ethernet(payload, tags=(), ethertype=ETHERTYPE_PTP, source=SOURCE):
    """tags: (TPID, PCP, VID) from the outside in."""
    header = PTP_MULTICAST + source
    for tpid, pcp, vid in tags:
        header += struct.pack("!HH", tpid, pcp << 13 | vid)
    return (header + struct.pack("!H", ethertype) + payload).ljust(60, b"\0")


def udp_ipv4(message, destination_port=319):
    """The message in UDP over IPv4, to the PTP multicast group."""
    udp = struct.pack("!HHHH", 12345, destination_port, 8 + len(message), 0) + message
    header = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 1, 17, 0, bytes([192, 0, 2, 1]),
                         bytes([224, 0, 1, 129]))
    total = sum(struct.unpack("!10H", header))
    total = (total & 0xFFFF) + (total >> 16)
    checksum = ~((total & 0xFFFF) + (total >> 16)) & 0xFFFF
    return header[:10] + struct.pack("!H", checksum) + header[12:] + udp
