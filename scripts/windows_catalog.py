#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
Makes a catalog for a driver package of Windows, not signed yet, for `osslsigncode sign`:

    windows_catalog.py CATALOG HARDWARE_ID FILE...

A catalog is a list of hashes in a PKCS #7 message (certificate trust list, 1.3.6.1.4.1.311.10.1; catalog version 1):
of each FILE its SHA-1, of a PE file that which Authenticode signs. Windows' own tool for this is inf2cat. The time in
it is SOURCE_DATE_EPOCH, or now.
"""
import hashlib
import os
import pathlib
import struct
import sys
import time
from typing import List

# Windows 8.1 and 10 and later on x64, as inf2cat names them, for the catalog and for a member.
SYSTEMS = "_v63_X64,_v100_X64"
SYSTEM_VERSIONS = "2:6.3,2:10.0"

SHA1 = "1.3.14.3.2.26"
SIGNED_DATA = "1.2.840.113549.1.7.2"
CERTIFICATE_TRUST_LIST = "1.3.6.1.4.1.311.10.1"
CATALOG_LIST = "1.3.6.1.4.1.311.12.1.1"
CATALOG_LIST_MEMBER = "1.3.6.1.4.1.311.12.1.2"
NAME_VALUE = "1.3.6.1.4.1.311.12.2.1"
MEMBER_INFO = "1.3.6.1.4.1.311.12.2.2"
INDIRECT_DATA = "1.3.6.1.4.1.311.2.1.4"
PE_IMAGE_DATA = "1.3.6.1.4.1.311.2.1.15"
OTHER_FILE_DATA = "1.3.6.1.4.1.311.2.1.25"

# Which code of Windows hashes files of a kind (subject interface packages).
PE_SUBJECT = "{C689AAB8-8E78-11D0-8C47-00C04FC295EE}"
OTHER_SUBJECT = "{DE351A42-8E59-11D0-8C47-00C04FC295EE}"

MEMBER_VERSION = 0x200
IN_SIGNED_PART_AS_TEXT = 0x10010001


# ---- DER ----

def encoded(tag: int, *parts: bytes) -> bytes:
    content = b"".join(parts)
    if len(content) < 0x80:
        return bytes([tag, len(content)]) + content
    size = len(content)
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + content


def sequence(*parts: bytes) -> bytes:
    return encoded(0x30, *parts)


def set_of(*parts: bytes) -> bytes:
    return encoded(0x31, *sorted(parts))


def tagged(number: int, *parts: bytes) -> bytes:
    """Explicitly."""
    return encoded(0xA0 | number, *parts)


def integer(value: int) -> bytes:
    return encoded(0x02, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def octets(value: bytes) -> bytes:
    return encoded(0x04, value)


def bmp(text: str, tag: int = 0x1E) -> bytes:
    return encoded(tag, text.encode("utf-16-be"))


def oid(text: str) -> bytes:
    first, second, *rest = map(int, text.split("."))
    content = bytes([first * 40 + second])
    for number in rest:
        groups = [number & 0x7F]
        while number > 0x7F:
            number >>= 7
            groups.append(number & 0x7F | 0x80)
        content += bytes(reversed(groups))
    return encoded(0x06, content)


NULL = encoded(0x05)


# ---- Hashes ----

def is_pe(content: bytes) -> bool:
    return content[:2] == b"MZ"


def authenticode_sha1(content: bytes) -> bytes:
    """Of all of a PE32+ file but its checksum and its signature, padded as a signature would have it."""
    header, = struct.unpack_from("<I", content, 0x3C)
    assert content[header:header + 4] == b"PE\0\0" and content[header + 24:header + 26] == b"\x0b\x02", "no PE32+ file"
    checksum, security = header + 24 + 64, header + 24 + 112 + 4 * 8
    signature, size = struct.unpack_from("<II", content, security)
    end = signature if size > 0 else len(content)
    assert signature + size in (0, len(content)), "something lies behind the signature"
    parts = content[:checksum], content[checksum + 4:security], content[security + 8:end], bytes(-end % 8)
    return hashlib.sha1(b"".join(parts)).digest()


# ---- The catalog ----

def name_value(name: str, value: str) -> bytes:
    return sequence(bmp(name), integer(IN_SIGNED_PART_AS_TEXT), octets((value + "\0").encode("utf-16-le")))


def attribute(kind: str, value: bytes) -> bytes:
    return sequence(oid(kind), set_of(value))


def member(path: pathlib.Path) -> bytes:
    content = path.read_bytes()
    pe = is_pe(content)
    digest = authenticode_sha1(content) if pe else hashlib.sha1(content).digest()
    # Where the hash of a file's pages might be: nothing of it is used.
    nowhere = tagged(2, bmp("<<<Obsolete>>>", tag=0x80))
    data = sequence(encoded(0x03, b"\x05\xa0"), tagged(0, nowhere)) if pe else nowhere
    indirect = sequence(sequence(oid(PE_IMAGE_DATA if pe else OTHER_FILE_DATA), data),
                        sequence(sequence(oid(SHA1), NULL), octets(digest)))
    return sequence(
        octets((digest.hex().upper() + "\0").encode("utf-16-le")),
        set_of(
            attribute(NAME_VALUE, name_value("File", path.name.lower())),
            attribute(NAME_VALUE, name_value("OSAttr", SYSTEM_VERSIONS)),
            attribute(INDIRECT_DATA, indirect),
            attribute(MEMBER_INFO, sequence(bmp(PE_SUBJECT if pe else OTHER_SUBJECT), integer(MEMBER_VERSION)))))


def catalog(hardware_id: str, files: List[pathlib.Path], seconds: int) -> bytes:
    members = sorted(map(member, files))
    trust_list = sequence(
        sequence(oid(CATALOG_LIST)),
        octets(hashlib.sha256(b"".join(members)).digest()[:16]),  # its own name: any will do
        encoded(0x17, time.strftime("%y%m%d%H%M%SZ", time.gmtime(seconds)).encode()),
        sequence(oid(CATALOG_LIST_MEMBER), NULL),
        sequence(*members),
        tagged(0, sequence(
            sequence(oid(NAME_VALUE), octets(name_value("OS", SYSTEMS))),
            sequence(oid(NAME_VALUE), octets(name_value("HWID1", hardware_id.lower()))))))
    return sequence(oid(SIGNED_DATA), tagged(0, sequence(
        integer(1), set_of(), sequence(oid(CERTIFICATE_TRUST_LIST), tagged(0, trust_list)), set_of())))


def main() -> None:
    output, hardware_id, *files = sys.argv[1:]
    seconds = int(os.environ.get("SOURCE_DATE_EPOCH") or time.time())
    pathlib.Path(output).write_bytes(catalog(hardware_id, [pathlib.Path(file) for file in files], seconds))


if __name__ == "__main__":
    main()
