#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Links a driver with lld-link and writes the checksum that lld does not write.

    link_driver.py OUTPUT LINKER ARGUMENT...

Paths below the working directory are given to the linker as relative ones: it puts them into the PDB, whose
identity, which is in the driver too, is a hash of all that.
"""

import os
import struct
import subprocess
import sys


def checksum_offset(image: bytes) -> int:
    """Where the optional header has it ("PE Format", CheckSum)."""
    (header,) = struct.unpack_from("<I", image, 0x3C)
    if image[:2] != b"MZ" or image[header : header + 4] != b"PE\0\0":
        raise ValueError("not a PE file")
    return header + 4 + 20 + 64


def checksum(image: bytes) -> int:
    """The 16-bit words added with end-around carry, the field itself as 0, plus the file's length."""
    offset = checksum_offset(image)
    counted = image[:offset] + bytes(4) + image[offset + 4 :]
    counted += bytes(len(counted) % 2)
    total = sum(struct.unpack(f"<{len(counted) // 2}H", counted))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return total + len(image)


def main() -> int:
    output, *command = sys.argv[1:]
    here = os.path.join(os.getcwd(), "")
    command = [os.path.normpath(word[len(here) :]) if word.startswith(here) else word for word in command]
    status = subprocess.run(command, check=False).returncode
    if status != 0:
        return status
    with open(output, "r+b") as file:
        image = file.read()
        file.seek(checksum_offset(image))
        file.write(struct.pack("<I", checksum(image)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
