# SPDX-License-Identifier: MIT
"""Reads recordings and captures without ptpmon: what is in them is the truth."""
import collections
import subprocess

HEADER_BYTES, RECORD_BYTES = 4096, 64
LATE_STAMP = 0x08


def records(path):
    """How many records of each kind: ("frame", direction, messageType), "late stamp", "clocks", "loss"."""
    data = path.read_bytes()
    counts = collections.Counter()
    for offset in range(HEADER_BYTES, len(data) - RECORD_BYTES + 1, RECORD_BYTES):
        direction, message_type, stamp = data[offset + 16], data[offset + 17], data[offset + 27]
        if direction <= 1:
            counts["late stamp" if stamp & LATE_STAMP else ("frame", direction, message_type)] += 1
        else:
            counts[{2: "clocks", 3: "loss"}[direction]] += 1
    return counts


def frames_in(counts, direction=None):
    return sum(count for kind, count in counts.items()
               if kind[0] == "frame" and direction in (None, kind[1]))


def captured_bytes(path):
    return path.stat().st_size if path.exists() else 0


def captured(path):
    """How many PTP messages tshark finds in a capture."""
    command = ["tshark", "-n", "-r", path, "-Y", "ptp.v2.messagetype", "-T", "fields", "-e", "frame.number"]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=True)
    return len(done.stdout.splitlines())


def without_frames(path, left_out, target):
    """Copies a capture without the frames of these numbers, from 1; returns how many it had."""
    subprocess.run(["editcap", path, target, *map(str, left_out)], stdout=subprocess.DEVNULL, check=True)
    return captured(path)
