# SPDX-License-Identifier: MIT
"""What is in a linked driver: its sections, imports, functions, and what its code and data refer to.

Made from the .sys, with pefile, and its .pdb, with llvm-pdbutil: the linker's own word on which bytes came from which
object. compare_code() tells whether two links have the same code."""

import bisect
import pathlib
import re
import shutil
import struct
import subprocess
from typing import Iterator, NamedTuple

import pefile

EXECUTABLE = pefile.SECTION_CHARACTERISTICS["IMAGE_SCN_MEM_EXECUTE"]
PADDING = b"\xcc"


class Contribution(NamedTuple):
    """Bytes of one section of one object; `module` is the object's name without the build's directory."""

    rva: int
    size: int
    module: str
    section: str

    @property
    def is_object(self) -> bool:
        return self.module.endswith((".obj", ".o"))


class Function(NamedTuple):
    rva: int
    size: int
    name: str


class Instruction(NamedTuple):
    """`target` is the address, relative to the image, that a branch or an access relative to RIP names."""

    rva: int
    code: bytes
    text: str
    target: int | None


def tool(name: str) -> str:
    """Debian has some of LLVM's programs only with the version in their names."""
    for candidate in (name, *(f"{name}-{version}" for version in range(21, 13, -1))):
        path = shutil.which(candidate)
        if path:
            return path
    raise FileNotFoundError(f"{name} is not installed; `make setup` installs what is missing")


def output_of(*command: object) -> str:
    return subprocess.run([str(word) for word in command], check=True, capture_output=True, text=True).stdout


class DriverImage:
    def __init__(self, path: pathlib.Path, pdb: pathlib.Path | None = None):
        self.path = path
        self.pdb = pdb or path.with_suffix(".pdb")
        self.pe = pefile.PE(str(path))
        self.memory = self.pe.get_memory_mapped_image()
        self.imports = self._imports()
        self.contributions = sorted(self._contributions())
        self._starts = [contribution.rva for contribution in self.contributions]
        self.relocations = self._relocations()

    # ---- Sections ----

    def section_of(self, rva: int) -> pefile.SectionStructure | None:
        for section in self.pe.sections:
            if section.VirtualAddress <= rva < section.VirtualAddress + section.Misc_VirtualSize:
                return section
        return None

    def section_name(self, rva: int) -> str:
        section = self.section_of(rva)
        return section.Name.rstrip(b"\0").decode() if section else "outside"

    def is_code(self, rva: int) -> bool:
        section = self.section_of(rva)
        return bool(section and section.Characteristics & EXECUTABLE)

    # ---- What others provide ----

    def _imports(self) -> dict[int, tuple[str, str]]:
        """Slots of the import address table: module and name."""
        base = self.pe.OPTIONAL_HEADER.ImageBase
        return {
            entry.address - base: (module.dll.decode(), entry.name.decode())
            for module in self.pe.DIRECTORY_ENTRY_IMPORT
            for entry in module.imports
        }

    def thunk(self, rva: int) -> str | None:
        """The import that a `jmp *slot(%rip)` of the linker goes to."""
        if self.memory[rva : rva + 2] == b"\xff\x25":
            (displacement,) = struct.unpack_from("<i", self.memory, rva + 2)
            slot = self.imports.get(rva + 6 + displacement)
            return slot[1] if slot else None
        return None

    # ---- The PDB ----

    def _contributions(self) -> Iterator[Contribution]:
        modules = {
            int(number): name.split(".dir/")[-1].replace("./", "")
            for number, name in re.findall(r"^\s*Mod (\d+) \| `(.*)`:", output_of(tool("llvm-pdbutil"), "dump",
                                           "--modules", self.pdb), re.MULTILINE)
        }
        for section, module, index, offset, size in re.findall(
            r"SC\[([^\]]*)\]\s*\| mod = (\d+), (\d+):(\d+), size = (\d+)",
            output_of(tool("llvm-pdbutil"), "dump", "--section-contribs", self.pdb),
        ):
            # In the PDB sections count from 1.
            if 0 < int(index) <= len(self.pe.sections) and int(size) > 0:
                rva = self.pe.sections[int(index) - 1].VirtualAddress + int(offset)
                yield Contribution(rva, int(size), modules[int(module)], section)

    def functions(self) -> list[Function]:
        found = re.findall(
            r"S_[GL]PROC32 \[size = \d+\] `([^`]*)`\s+parent = \d+, end = \d+, "
            r"addr = (\d+):(\d+), code size = (\d+)",
            output_of(tool("llvm-pdbutil"), "dump", "--symbols", self.pdb),
        )
        return sorted(
            Function(self.pe.sections[int(index) - 1].VirtualAddress + int(offset), int(size), name)
            for name, index, offset, size in found
        )

    def pdb_identity(self) -> str:
        """GUID and age as the PDB itself has them."""
        summary = output_of(tool("llvm-pdbutil"), "dump", "--summary", self.pdb)
        guid = re.search(r"GUID: \{([-0-9A-F]+)\}", summary)
        age = re.search(r"Age: (\d+)", summary)
        assert guid and age, summary
        return f"{guid.group(1)} {age.group(1)}"

    # ---- Code and what it refers to ----

    def instructions(self) -> Iterator[Instruction]:
        """Of all executable sections, in order."""
        base = self.pe.OPTIONAL_HEADER.ImageBase
        line = re.compile(r"^\s*([0-9a-f]+):\s+((?:[0-9a-f]{2} )+)\s*(.*)$")
        for match in filter(None, map(line.match, output_of(tool("llvm-objdump"), "-d", self.path).splitlines())):
            address, code, text = match.groups()
            named = re.search(r"\(%rip\).*# 0x([0-9a-f]+)", text) or re.match(r"(?:call|j)\S*\s+0x([0-9a-f]+)", text)
            yield Instruction(
                int(address, 16) - base,
                bytes.fromhex(code),
                text.strip(),
                int(named.group(1), 16) - base if named else None,
            )

    def _relocations(self) -> dict[int, int]:
        """Where the loader corrects a pointer, and where in the image that pointer points."""
        base = self.pe.OPTIONAL_HEADER.ImageBase
        places = {}
        for block in self.pe.DIRECTORY_ENTRY_BASERELOC:
            for entry in block.entries:
                if entry.type == pefile.RELOCATION_TYPE["IMAGE_REL_BASED_DIR64"]:
                    (pointer,) = struct.unpack_from("<Q", self.memory, entry.rva)
                    places[entry.rva] = pointer - base
        return places

    def contribution_at(self, rva: int) -> Contribution | None:
        index = bisect.bisect_right(self._starts, rva) - 1
        if index >= 0:
            contribution = self.contributions[index]
            if rva < contribution.rva + contribution.size:
                return contribution
        return None

    def meaning(self, rva: int) -> str:
        """What lies at an address, in words that are the same in another link of the same objects."""
        if rva in self.imports:
            return f"import {self.imports[rva][1]}"
        thunk = self.thunk(rva) if self.is_code(rva) else None
        if thunk:
            return f"import {thunk}"
        contribution = self.contribution_at(rva)
        if contribution and contribution.is_object:
            return f"{contribution.module} {contribution.section}+{rva - contribution.rva:#x}"
        # The linker's own: the tables of control flow guard.
        return f"linker {self.section_name(rva)}"


# ---- Two links of the same objects ----


def _objects(image: DriverImage) -> dict[tuple[str, str, int], Contribution]:
    """Objects' contributions, by object, section, and which of its sections of this name."""
    found: dict[tuple[str, str, int], Contribution] = {}
    for contribution in image.contributions:
        if contribution.is_object and contribution.section != ".pdata":
            number = sum(1 for module, section, _ in found if (module, section) == contribution[2:])
            found[(contribution.module, contribution.section, number)] = contribution
    return found


def _code_of(image: DriverImage) -> tuple[dict[str, list[tuple[bytes, str]]], list[str]]:
    """Each object's instructions, with references in place of displacements, and code that is nobody's."""
    code: dict[str, list[tuple[bytes, str]]] = {}
    strange = []
    for instruction in image.instructions():
        contribution = image.contribution_at(instruction.rva)
        if contribution is None or not contribution.is_object:
            if not image.thunk(instruction.rva) and instruction.code.strip(PADDING):
                strange.append(f"{image.path.name} {instruction.rva:#x} {instruction.text}: of no object, no import")
            continue
        raw, reference = instruction.code, ""
        if instruction.target is not None:
            displacement = instruction.target - (instruction.rva + len(raw))
            reference = image.meaning(instruction.target)
            encoded = struct.pack("<i", displacement)
            if encoded in raw[1:]:
                place = raw.rindex(encoded)
                raw = raw[:place] + b"...." + raw[place + 4 :]
        key = f"{contribution.module} {contribution.section}"
        code.setdefault(key, []).append((raw, reference))
    return code, strange


def _data_of(image: DriverImage, contribution: Contribution) -> tuple[bytes, list[tuple[int, str]]]:
    """The bytes with pointers as zeros, and what these point to."""
    raw = bytearray(image.memory[contribution.rva : contribution.rva + contribution.size])
    pointers = []
    for place, target in image.relocations.items():
        offset = place - contribution.rva
        if 0 <= offset < contribution.size:
            raw[offset : offset + 8] = bytes(8)
            pointers.append((offset, image.meaning(target)))
    return bytes(raw), pointers


def _same_data(images: tuple[DriverImage, DriverImage], pair: tuple[Contribution, Contribution]) -> bool:
    """The same bytes and pointers. Tables of exception handlers also have addresses of code, relative to the image,
    that the loader leaves alone: where words differ, both must be addresses of the same code."""
    (raw, pointers), (other_raw, other_pointers) = map(_data_of, images, pair)
    if pointers != other_pointers:
        return False
    for offset in range(0, len(raw), 4):
        word, other = raw[offset : offset + 4], other_raw[offset : offset + 4]
        if word == other:
            continue
        if len(word) < 4:
            return False
        (rva,), (other_rva,) = struct.unpack("<I", word), struct.unpack("<I", other)
        if not (images[0].is_code(rva) and images[1].is_code(other_rva)):
            return False
        if images[0].meaning(rva) != images[1].meaning(other_rva):
            return False
    return True


def _unwind_of(image: DriverImage) -> list[tuple[str, str, str]]:
    return sorted(
        (image.meaning(entry.struct.BeginAddress), image.meaning(entry.struct.EndAddress - 1),
         image.meaning(entry.struct.UnwindData))
        for entry in image.pe.DIRECTORY_ENTRY_EXCEPTION
    )


def compare_code(a: pathlib.Path, b: pathlib.Path) -> list[str]:
    """What differs between two links of the same objects, beyond where they find their imports; empty: nothing.

    Every instruction of every object must be there in both, in the same place of its object, with the same bytes;
    where it refers to something, to the same place of the same object, or to the import of the same name. The same
    holds for data and its pointers and for the unwind tables. Code that comes from no object may only be a
    jump to an import."""
    first, second = DriverImage(a), DriverImage(b)
    found = []
    ours, theirs = _objects(first), _objects(second)
    for key in sorted(ours.keys() ^ theirs.keys()):
        found.append(f"{key[0]} {key[1]}: only in {(a if key in ours else b).name}")
    (code, strange), (other_code, other_strange) = _code_of(first), _code_of(second)
    found += strange + other_strange
    for key in sorted(ours.keys() & theirs.keys()):
        name = f"{key[0]} {key[1]}"
        if ours[key].size != theirs[key].size:
            found.append(f"{name}: {ours[key].size} and {theirs[key].size} bytes")
        elif first.is_code(ours[key].rva):
            pairs = zip(code.get(name, []), other_code.get(name, []))
            different = next((pair for pair in pairs if pair[0] != pair[1]), None)
            if different:
                found.append(f"{name}: {different[0]} and {different[1]}")
            elif len(code.get(name, [])) != len(other_code.get(name, [])) or not code.get(name):
                found.append(f"{name}: not the same number of instructions, or none")
        elif not _same_data((first, second), (ours[key], theirs[key])):
            found.append(f"{name}: not the same data")
    if _unwind_of(first) != _unwind_of(second):
        found.append("the unwind tables differ")
    return found
