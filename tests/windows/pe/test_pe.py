# SPDX-License-Identifier: MIT
"""The driver's file: what Windows demands of one, what makes it hard to attack, and what must not be in it."""

import importlib.util
import pathlib
import re
import shutil
import struct
import subprocess

import pefile
import pytest

from conftest import ROOT, build
from driver_image import DriverImage, compare_code, tool

HERE = pathlib.Path(__file__).resolve().parent
IMPORTS = ROOT / "driver" / "windows" / "imports"
OLDEST_WINDOWS = (6, 3)

spec = importlib.util.spec_from_file_location("link_driver", ROOT / "cmake" / "link_driver.py")
assert spec and spec.loader
link_driver = importlib.util.module_from_spec(spec)
spec.loader.exec_module(link_driver)


@pytest.fixture(scope="module", name="image")
def image_fixture(built: pathlib.Path) -> DriverImage:
    return DriverImage(built / "avbptpmon.sys")


def allowed() -> dict[tuple[str, str], tuple[int, ...]]:
    """Module and name: the first Windows that has it."""
    lines = (line.split() for line in (HERE / "imports.txt").read_text().splitlines())
    return {
        (words[0], words[1]): tuple(map(int, words[2].split("."))) for words in lines if words and words[0] != "#"
    }


# ---- Headers ----


def test_it_is_a_driver_for_x64_and_windows_8_1(image: DriverImage) -> None:
    header = image.pe.OPTIONAL_HEADER
    assert image.pe.FILE_HEADER.Machine == pefile.MACHINE_TYPE["IMAGE_FILE_MACHINE_AMD64"]
    assert header.Subsystem == pefile.SUBSYSTEM_TYPE["IMAGE_SUBSYSTEM_NATIVE"]
    assert (header.MajorSubsystemVersion, header.MinorSubsystemVersion) == OLDEST_WINDOWS
    assert header.SectionAlignment >= 0x1000


def test_the_checksum_is_right(image: DriverImage, tmp_path: pathlib.Path) -> None:
    assert image.pe.OPTIONAL_HEADER.CheckSum != 0
    assert image.pe.verify_checksum()
    # pefile's algorithm is the second opinion on the one that wrote it, also of a file with an odd length.
    odd = image.path.read_bytes() + b"\x5a"
    (tmp_path / "odd.sys").write_bytes(odd)
    assert pefile.PE(str(tmp_path / "odd.sys")).generate_checksum() == link_driver.checksum(odd)


@pytest.mark.parametrize("bit", ["DYNAMIC_BASE", "HIGH_ENTROPY_VA", "NX_COMPAT", "GUARD_CF"])
def test_it_asks_for(image: DriverImage, bit: str) -> None:
    mask = pefile.DLL_CHARACTERISTICS[f"IMAGE_DLLCHARACTERISTICS_{bit}"]
    assert image.pe.OPTIONAL_HEADER.DllCharacteristics & mask


def test_it_does_not_ask_for_a_signature_that_a_test_build_cannot_have(image: DriverImage) -> None:
    force = pefile.DLL_CHARACTERISTICS["IMAGE_DLLCHARACTERISTICS_FORCE_INTEGRITY"]
    assert not image.pe.OPTIONAL_HEADER.DllCharacteristics & force


def test_it_can_be_moved(image: DriverImage) -> None:
    """Without relocations all of the above about addresses would be void."""
    stripped = pefile.IMAGE_CHARACTERISTICS["IMAGE_FILE_RELOCS_STRIPPED"]
    assert not image.pe.FILE_HEADER.Characteristics & stripped
    assert image.relocations


# ---- Sections ----


def test_no_section_is_writable_and_executable(image: DriverImage) -> None:
    both = sum(pefile.SECTION_CHARACTERISTICS[f"IMAGE_SCN_MEM_{right}"] for right in ("WRITE", "EXECUTE"))
    for section in image.pe.sections:
        assert section.Characteristics & both != both, section.Name


def test_only_init_and_the_relocations_are_discarded(image: DriverImage) -> None:
    discardable = pefile.SECTION_CHARACTERISTICS["IMAGE_SCN_MEM_DISCARDABLE"]
    names = {s.Name.rstrip(b"\0") for s in image.pe.sections if s.Characteristics & discardable}
    assert names == {b"INIT", b".reloc"}
    assert image.section_name(image.pe.OPTIONAL_HEADER.AddressOfEntryPoint) == "INIT"


def into_init(image: DriverImage) -> list[str]:
    """What outside INIT refers to it: the memory is gone once DriverEntry has returned."""
    found = [
        f"{image.section_name(instruction.rva)} {instruction.rva:#x}: {instruction.text}"
        for instruction in image.instructions()
        if instruction.target is not None
        and image.section_name(instruction.target) == "INIT"
        and image.section_name(instruction.rva) != "INIT"
    ]
    found += [
        f"pointer at {image.section_name(place)} {place:#x}"
        for place, target in image.relocations.items()
        if image.section_name(target) == "INIT" and image.section_name(place) != "INIT"
    ]
    return found


def test_nothing_refers_to_init_from_outside(image: DriverImage) -> None:
    assert any(image.section_name(instruction.rva) == "INIT" for instruction in image.instructions())
    assert not into_init(image)


# ---- Unwinding ----


def runtime_functions(image: DriverImage) -> list[tuple[int, int]]:
    return [(entry.struct.BeginAddress, entry.struct.EndAddress) for entry in image.pe.DIRECTORY_ENTRY_EXCEPTION]


def uncovered(image: DriverImage, covered: list[tuple[int, int]]) -> list[str]:
    """Functions without an entry that are no leaves: a leaf calls nothing and leaves the stack pointer alone."""
    moves_stack = re.compile(r"^(call|push|pop|enter|leave)|,\s*%[re]?sp$")
    disturbed = [i.rva for i in image.instructions() if moves_stack.search(i.text.split("#")[0].strip())]
    return [
        function.name
        for function in image.functions()
        if not any(begin <= function.rva and function.rva + function.size <= end for begin, end in covered)
        and any(function.rva <= rva < function.rva + function.size for rva in disturbed)
    ]


def test_every_function_can_be_unwound(image: DriverImage) -> None:
    entries = runtime_functions(image)
    assert entries == sorted(entries)
    for begin, end in entries:
        assert image.is_code(begin) and image.is_code(end - 1) and begin < end
    names = [function.name for function in image.functions()]
    assert {"DriverEntry", "FilterReceiveNetBufferLists", "RingBufferWrite", "AvbLockPages"} <= set(names)
    assert not uncovered(image, entries)
    # The check can tell: without the entry of one of them, that one is named.
    entry_point = image.pe.OPTIONAL_HEADER.AddressOfEntryPoint
    assert uncovered(image, [entry for entry in entries if entry[0] != entry_point]) == ["DriverEntry"]


# ---- Control flow guard and the stack cookie ----


def uses(image: DriverImage, rva: int) -> bool:
    """The code refers to it, or to a pointer to it: clang for mingw-w64 goes through one to what may be elsewhere."""
    pointers = [place for place, target in image.relocations.items()
                if target == rva and image.section_name(place) == ".rdata"]
    config = image.pe.DIRECTORY_ENTRY_LOAD_CONFIG.struct
    directory = pefile.DIRECTORY_ENTRY["IMAGE_DIRECTORY_ENTRY_LOAD_CONFIG"]
    begin = image.pe.OPTIONAL_HEADER.DATA_DIRECTORY[directory].VirtualAddress
    places = [rva, *(place for place in pointers if not begin <= place < begin + config.Size)]
    return any(instruction.target in places for instruction in image.instructions())


def test_control_flow_guard_is_backed(image: DriverImage) -> None:
    """The bit in the header is nothing without tables, and pointers that the loader can set."""
    config = image.pe.DIRECTORY_ENTRY_LOAD_CONFIG.struct
    base = image.pe.OPTIONAL_HEADER.ImageBase
    writable = pefile.SECTION_CHARACTERISTICS["IMAGE_SCN_MEM_WRITE"]
    instrumented, table_present = 0x100, 0x400
    assert config.GuardFlags & (instrumented | table_present) == instrumented | table_present
    for pointer in (config.GuardCFCheckFunctionPointer, config.GuardCFDispatchFunctionPointer):
        assert not image.section_of(pointer - base).Characteristics & writable
        assert image.is_code(image.relocations[pointer - base])
    table = struct.unpack_from(f"<{config.GuardCFFunctionCount}I", image.memory, config.GuardCFFunctionTable - base)
    assert list(table) == sorted(table)
    functions = {function.name: function.rva for function in image.functions()}
    # What Windows calls back.
    for name in ("DriverEntry", "FilterReceiveNetBufferLists", "FilterSendNetBufferLists"):
        assert functions[name] in table, name
    # And the code asks: it calls through the dispatch pointer.
    assert uses(image, config.GuardCFDispatchFunctionPointer - base)


def test_the_loader_sets_the_stack_cookie(image: DriverImage) -> None:
    config = image.pe.DIRECTORY_ENTRY_LOAD_CONFIG.struct
    cookie = config.SecurityCookie - image.pe.OPTIONAL_HEADER.ImageBase
    assert struct.unpack_from("<Q", image.memory, cookie)[0] == 0x00002B992DDFA232
    assert image.section_name(cookie) == ".data"
    assert uses(image, cookie)


# ---- Imports ----


def unwanted_imports(image: DriverImage) -> list[str]:
    known = allowed()
    return [f"{module} {name}" for module, name in image.imports.values()
            if known.get((module, name), (99,)) > OLDEST_WINDOWS]


def test_it_imports_what_windows_8_1_has(image: DriverImage) -> None:
    assert {module for module, _ in image.imports.values()} == {"ntoskrnl.exe", "hal.dll", "ndis.sys"}
    assert not unwanted_imports(image)


def test_what_can_be_imported_is_on_the_list() -> None:
    """A .def file offers nothing that the list does not have, and the list nothing too new."""
    offered = set()
    for path in IMPORTS.glob("*.def"):
        lines = [line.split(";")[0].split() for line in path.read_text().splitlines()]
        words = [line for line in lines if line]
        module = next(line[1] for line in words if line[0] == "LIBRARY")
        offered |= {(module, line[0]) for line in words if line[0] not in ("LIBRARY", "EXPORTS")}
    known = allowed()
    assert offered == set(known)
    assert max(known.values()) <= OLDEST_WINDOWS


def test_it_exports_nothing(image: DriverImage) -> None:
    assert not hasattr(image.pe, "DIRECTORY_ENTRY_EXPORT")


# ---- What else is in the file ----


def test_it_does_not_say_where_it_was_built(image: DriverImage, built: pathlib.Path) -> None:
    raw = image.path.read_bytes()
    for path in (ROOT, built, pathlib.Path.home()):
        if len(path.parts) > 1:
            assert str(path).encode() not in raw
            assert str(path).encode("utf-16-le") not in raw
    assert not re.search(rb"[A-Za-z0-9_./-]+\.(c|h|obj|o)\0", raw)


def test_its_symbols_are_beside_it(image: DriverImage) -> None:
    code_view = next(entry.entry for entry in image.pe.DIRECTORY_ENTRY_DEBUG if entry.struct.Type == 2)
    assert code_view.PdbFileName.rstrip(b"\0") == b"avbptpmon.pdb"
    guid = (
        f"{code_view.Signature_Data1:08X}-{code_view.Signature_Data2:04X}-{code_view.Signature_Data3:04X}-"
        f"{code_view.Signature_Data4:02X}{code_view.Signature_Data5:02X}-{code_view.Signature_Data6.hex().upper()}"
    )
    assert image.pdb_identity() == f"{guid} {code_view.Age}"


def test_it_has_the_projects_version(image: DriverImage) -> None:
    project = re.search(r"^project\(ptpmon VERSION (\S+)", (ROOT / "CMakeLists.txt").read_text(), re.MULTILINE)
    assert project
    fixed = image.pe.VS_FIXEDFILEINFO[0]
    numbers = [int(number) for number in project.group(1).split(".")]
    assert [fixed.FileVersionMS >> 16, fixed.FileVersionMS & 0xFFFF, fixed.FileVersionLS >> 16] == numbers
    assert fixed.FileType == 3 and fixed.FileSubtype == 6  # VFT_DRV, VFT2_DRV_NETWORK
    strings = {
        key: value
        for info in image.pe.FileInfo[0]
        if hasattr(info, "StringTable")
        for table in info.StringTable
        for key, value in table.entries.items()
    }
    assert strings[b"OriginalFilename"] == b"avbptpmon.sys"
    assert strings[b"FileVersion"] == project.group(1).encode()


def test_another_build_gives_the_same_bytes(built: pathlib.Path, tmp_path: pathlib.Path) -> None:
    again = build(tmp_path / "another place")
    assert (again / "avbptpmon.sys").read_bytes() == (built / "avbptpmon.sys").read_bytes()


# ---- Two links of the same objects ----


def link_again(built: pathlib.Path, directory: pathlib.Path) -> pathlib.Path:
    """The same objects against other modules, in another order, so that imports lie elsewhere."""
    directory.mkdir()
    definitions = {
        "other_ndis": "LIBRARY other.sys\n" + (IMPORTS / "ndis.def").read_text().split("LIBRARY ndis.sys\n")[1],
        "some_kernel": "LIBRARY some.sys\nEXPORTS\nExAllocatePoolWithTag\nmemcpy\nKeQueryPerformanceCounter\n",
        "ntoskrnl": (IMPORTS / "ntoskrnl.def").read_text(),
    }
    libraries = []
    for name, text in definitions.items():
        (directory / f"{name}.def").write_text(text)
        libraries.append(directory / f"{name}.lib")
        subprocess.run([tool("llvm-dlltool"), "-m", "i386:x86-64", "-d", directory / f"{name}.def",
                        "-l", libraries[-1]], check=True)
    # A constant that several objects have comes from the first of them: the driver's own stand first, as in the build,
    # wherever the checkout lies (core's are below its whole path).
    objects = sorted((built / "CMakeFiles" / "avb_driver.dir").rglob("*.obj"),
                     key=lambda path: (len(path.parts), path.name))
    output = directory / "second.sys"
    subprocess.run([tool("lld-link"), "/nologo", f"/out:{output}", "/machine:x64", "/driver", "/subsystem:native",
                    "/entry:DriverEntry", "/nodefaultlib", "/dynamicbase", "/highentropyva", "/guard:cf",
                    "/section:INIT,ERD", "/opt:ref,noicf", "/debug", *objects, *libraries], check=True)
    return output


def test_links_of_the_same_objects_have_the_same_code(built: pathlib.Path, tmp_path: pathlib.Path) -> None:
    first, second = built / "avbptpmon.sys", link_again(built, tmp_path / "second")
    # They do differ: whole bytes, and where memcpy comes from.
    text = [pefile.PE(str(path)).sections[0].get_data() for path in (first, second)]
    assert text[0] != text[1]
    assert ("some.sys", "memcpy") in DriverImage(second).imports.values()
    assert not compare_code(first, second)


def changed(image: DriverImage, directory: pathlib.Path, rva: int, code: bytes) -> pathlib.Path:
    raw = bytearray(image.path.read_bytes())
    offset = image.pe.get_offset_from_rva(rva)
    raw[offset : offset + len(code)] = code
    directory.mkdir()
    (directory / "changed.sys").write_bytes(raw)
    shutil.copy(image.pdb, directory / "changed.pdb")
    return directory / "changed.sys"


def test_a_changed_instruction_is_seen(image: DriverImage, tmp_path: pathlib.Path) -> None:
    """An instruction that refers to nothing, a call that goes elsewhere, an import that is another, a constant."""
    listing = list(image.instructions())
    plain = next(i for i in listing if i.text.startswith("testl") and image.contribution_at(i.rva))
    opposite = bytes([0x85, 0xC9]) if plain.code != bytes([0x85, 0xC9]) else bytes([0x85, 0xD2])
    assert compare_code(image.path, changed(image, tmp_path / "plain", plain.rva, opposite[: len(plain.code)]))

    calls = [i for i in listing if re.match(r"callq\s+0x", i.text) and len(i.code) == 5 and not image.thunk(i.target)]
    other = next(i for i in calls if i.target != calls[0].target)
    moved = b"\xe8" + struct.pack("<i", other.target - (calls[0].rva + 5))
    assert compare_code(image.path, changed(image, tmp_path / "call", calls[0].rva, moved))

    through = [i for i in listing if re.match(r"callq\s+\*.*\(%rip\)", i.text) and i.target in image.imports]
    other = next(i for i in through if i.target != through[0].target)
    moved = b"\xff\x15" + struct.pack("<i", other.target - (through[0].rva + 6))
    assert compare_code(image.path, changed(image, tmp_path / "import", through[0].rva, moved))

    constant = next(c for c in image.contributions if c.is_object and c.section == ".rdata" and c.size >= 16)
    value = bytes([image.memory[constant.rva] ^ 1])
    assert compare_code(image.path, changed(image, tmp_path / "constant", constant.rva, value))


# ---- Signature ----


def verify(path: pathlib.Path, certificate: pathlib.Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["osslsigncode", "verify", "-CAfile", certificate, path],
                          capture_output=True, text=True, check=False)


@pytest.mark.skipif(not shutil.which("osslsigncode") or not shutil.which("openssl"),
                    reason="signing is not tested: osslsigncode or openssl is not installed")
def test_the_test_signature_holds_for_these_bytes_alone(built: pathlib.Path, tmp_path: pathlib.Path) -> None:
    signed, certificate = built / "test-signed" / "avbptpmon.sys", built / "test-signed" / "certificate.pem"
    good = verify(signed, certificate)
    assert good.returncode == 0, good.stdout
    assert pefile.PE(str(signed)).verify_checksum()

    raw = bytearray(signed.read_bytes())
    code = pefile.PE(str(signed)).sections[0].PointerToRawData
    raw[code] ^= 1
    (tmp_path / "avbptpmon.sys").write_bytes(raw)
    bad = verify(tmp_path / "avbptpmon.sys", certificate)
    assert bad.returncode != 0

    def digest(output: str) -> str:
        found = re.search(r"Calculated message digest : ([0-9A-F]+)", output)
        assert found, output
        return found.group(1)

    assert digest(good.stdout) != digest(bad.stdout)
    # Only the signature and the two fields that it changes in the header are new.
    unsigned = (built / "avbptpmon.sys").read_bytes()
    assert signed.read_bytes()[code : len(unsigned)] == unsigned[code:]


def test_the_key_can_be_read_by_its_owner_alone(built: pathlib.Path) -> None:
    key = built / "test-signed" / "key.pem"
    if not key.exists():
        pytest.skip("signing is not tested: osslsigncode or openssl is not installed")
    assert key.stat().st_mode & 0o077 == 0
