#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""How many translated eBPF instructions the receive program runs for a frame.

Steps through the program as the kernel has translated it (bpftool prog dump xlated), with the
kernel's helpers stubbed: a call counts as one instruction. Needs root, bpftool and a running
monitor, for instance `ptpmon watch`; the program is found by its name, rx_frame.
"""
import json
import re
import struct
import subprocess

MASK = (1 << 64) - 1
CONTEXT, STACK, PACKET, COUNTERS, RECORD = 0x10000, 0x20000, 0x30000, 0x40000, 0x50000
SIZES = {0x00: "I", 0x08: "H", 0x10: "B", 0x18: "Q"}


def bpftool(*arguments):
    return subprocess.run(["bpftool", *arguments], check=True, capture_output=True, text=True).stdout


def member_offset(btf, structure, member):
    """Byte offset of a structure's member, from bpftool's dump of the kernel's BTF."""
    body = re.search(r"STRUCT '%s' .*?\n((?:\t.*\n)*)" % structure, btf).group(1)
    return int(re.search(r"'%s' .*bits_offset=(\d+)" % member, body).group(1)) // 8


def load_program(name):
    number = next(p["id"] for p in json.loads(bpftool("-j", "prog")) if p.get("name") == name)
    program = []
    for step in json.loads(bpftool("-j", "prog", "dump", "xlated", "id", str(number), "opcodes"))[0:]:
        code = step["opcodes"]
        immediate = b"".join(bytes([int(x, 16)]) for x in code["imm"])
        offset = bytes(int(x, 16) for x in code["off"])
        program.append((int(code["code"], 16), int(code["dst_reg"], 16), int(code["src_reg"], 16),
                        struct.unpack("<h", offset)[0], struct.unpack("<i", immediate[:4])[0], step["disasm"]))
        if int(code["code"], 16) == 0x18:  # a 64-bit immediate takes two places
            program.append(None)
    return program


class Machine:
    def __init__(self, frame, fields):
        self.memory = {base: bytearray(4096) for base in (CONTEXT, STACK, PACKET, COUNTERS, RECORD)}
        self.memory[PACKET][: len(frame)] = frame
        self.frame = frame
        for offset, size, value in fields:
            self.store(CONTEXT + offset, size, value)
        self.registers = [0] * 11
        self.registers[1], self.registers[10] = CONTEXT, STACK + 2048

    def place(self, address):
        base = address & ~0xFFFF
        if base not in self.memory:
            base = COUNTERS  # what the kernel's translation computes: per-CPU bases, map addresses
            return self.memory[base], address & 0xFF8
        return self.memory[base], address - base

    def load(self, address, size):
        memory, at = self.place(address)
        return struct.unpack_from("<" + size, memory, at)[0]

    def store(self, address, size, value):
        memory, at = self.place(address)
        struct.pack_into("<" + size, memory, at, value & ((1 << 8 * struct.calcsize(size)) - 1))

    def call(self, text):
        r = self.registers
        if "skb_load_bytes" in text:
            offset, length = r[2] & 0xFFFFFFFF, r[4] & 0xFFFFFFFF
            there = offset + length <= len(self.frame)
            if there:
                memory, at = self.place(r[3])
                memory[at:at + length] = self.frame[offset:offset + length]
            r[0] = 0 if there else MASK
        elif "ringbuf_reserve" in text:
            r[0] = RECORD
        elif "ringbuf_query" in text:
            r[0] = 72
        else:
            r[0] = 1

    def run(self, program):
        r, at, steps = self.registers, 0, 0
        while True:
            code, dst, src, offset, immediate, text = program[at]
            at, steps = at + 1, steps + 1
            kind = code & 7
            operand = r[src] if code & 8 else immediate & MASK
            if code == 0x95:
                return steps
            if code == 0x85:
                self.call(text)
            elif code == 0x18:
                r[dst], at = COUNTERS, at + 1
            elif kind in (4, 7):
                narrow = kind == 4
                if code & 0xF0 == 0xD0:  # byte order
                    r[dst] = int.from_bytes((r[dst] & ((1 << immediate) - 1)).to_bytes(immediate // 8, "little"),
                                            "big" if code & 8 else "little")
                    continue
                left, right = (r[dst] & 0xFFFFFFFF, operand & 0xFFFFFFFF) if narrow else (r[dst], operand)
                bits = 31 if narrow else 63
                result = {0x00: lambda: left + right, 0x10: lambda: left - right, 0x20: lambda: left * right,
                          0x40: lambda: left | right, 0x50: lambda: left & right, 0x60: lambda: left << (right & bits),
                          0x70: lambda: left >> (right & bits), 0xA0: lambda: left ^ right, 0xB0: lambda: right,
                          0x80: lambda: -left,
                          0xC0: lambda: (left - ((left >> bits) << (bits + 1))) >> (right & bits)}[code & 0xF0]()
                r[dst] = result & (0xFFFFFFFF if narrow else MASK)
            elif kind in (5, 6):
                narrow = kind == 6
                left, right = (r[dst] & 0xFFFFFFFF, operand & 0xFFFFFFFF) if narrow else (r[dst], operand)
                sign = 1 << (31 if narrow else 63)
                signed = lambda x: (x ^ sign) - sign
                if {0x00: lambda: True, 0x10: lambda: left == right, 0x20: lambda: left > right,
                        0x30: lambda: left >= right, 0x40: lambda: left & right != 0, 0x50: lambda: left != right,
                        0x60: lambda: signed(left) > signed(right), 0x70: lambda: signed(left) >= signed(right),
                        0xA0: lambda: left < right, 0xB0: lambda: left <= right,
                        0xC0: lambda: signed(left) < signed(right),
                        0xD0: lambda: signed(left) <= signed(right)}[code & 0xF0]():
                    at += offset
            elif kind == 1:
                r[dst] = self.load(r[src] + offset, SIZES[code & 0x18])
            elif code & 0xE0 == 0xC0:  # atomic: the counters
                pass
            else:
                self.store(r[dst] + offset, SIZES[code & 0x18], operand)


def frames():
    ethernet = bytes.fromhex("011b19000000020000000001")
    ptp = bytes.fromhex("0002002c") + bytes(16) + bytes.fromhex("020000fffe0000010001") + bytes(14)
    udp = struct.pack(">HHHH", 319, 319, 8 + len(ptp), 0)
    ipv4 = struct.pack(">BBHHHBBH8x", 0x45, 0, 28 + len(ptp), 0, 0, 1, 17, 0)
    other_udp = struct.pack(">HHHH", 5000, 5001, 8 + len(ptp), 0)
    tcp = struct.pack(">BBHHHBBH8x", 0x45, 0, 60, 0, 0, 64, 6, 0)
    yield "TCP over IPv4 (foreign)", ethernet + b"\x08\x00" + tcp + bytes(40)
    yield "UDP over IPv4 to another port (foreign)", ethernet + b"\x08\x00" + ipv4 + other_udp + ptp
    yield "ARP (foreign)", ethernet + b"\x08\x06" + bytes(46)
    yield "Sync over Ethernet", ethernet + b"\x88\xf7" + ptp
    yield "Sync over Ethernet, VLAN tag in band", ethernet + b"\x81\x00\x60\x2a\x88\xf7" + ptp
    yield "Sync over UDP/IPv4", ethernet + b"\x08\x00" + ipv4 + udp + ptp


def main():
    btf = bpftool("btf", "dump", "file", "/sys/kernel/btf/vmlinux")
    skb = {name: member_offset(btf, "sk_buff", name) for name in ("data", "cb", "len")}
    data_end = skb["cb"] + member_offset(btf, "bpf_skb_data_end", "data_end")
    program = load_program("rx_frame")
    print(f"rx_frame: {len(program)} translated instructions in all")
    for name, frame in frames():
        fields = [(skb["data"], "Q", PACKET), (data_end, "Q", PACKET + len(frame)), (skb["len"], "I", len(frame))]
        print(f"{Machine(frame, fields).run(program):6d}  {name}")


if __name__ == "__main__":
    main()
