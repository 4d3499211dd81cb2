# SPDX-License-Identifier: MIT
"""The zip for Windows: that it is whole, the same each time, and that a stranger can use what is in it."""
import base64
import email
import hashlib
import io
import json
import pathlib
import re
import shutil
import subprocess
import sys
import zipfile

import pefile
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "tests" / "windows" / "user"))

from test_user import SYSTEM_DLLS  # noqa: E402

VERSION = re.search(r"^project\(ptpmon VERSION (\S+)", (ROOT / "CMakeLists.txt").read_text(), re.MULTILINE)[1]
WHEEL = f"python/ptp_monitor-{VERSION}-py3-none-win_amd64.whl"

GUID = "{5D2A1F0C-7B3E-4C11-9A77-0123456789AB}"


def sources(pattern):
    found = {path.relative_to(ROOT).as_posix() for path in ROOT.glob(pattern)}
    assert found, pattern
    return found


# ---- The zip -----------------------------------------------------------------------------------


def test_it_has_all_that_belongs_to_it_and_nothing_else(path, files):
    expected = {
        "README.txt", "LICENSE.txt", "ptpmon.exe", "ptpmon.dll",
        "driver/avbptpmon.sys", "driver/avbptpmon.inf", "driver/avbptpmon.man",
        "symbols/avbptpmon.pdb", "symbols/ptpmon.exe.debug", "symbols/ptpmon.dll.debug",
        "lib/ptpmon.lib", "lib/libptpmon.dll.a",
        "core/ring.c", "core/atomic.h",
        WHEEL,
        *sources("include/*.h"), *sources("include/avb/*.h"),
        *sources("examples/*.c"), *sources("examples/*.py"), *sources("examples/windows/*.c"),
        *sources("python/ptp_monitor/*.py"), "python/ptp_monitor/py.typed",
        *sources("docs/*.md"), *sources("docs/images/*.png"),
        *{f"{name}.html" for name in sources("docs/man/*.1") if "demo" not in name},
        *{f"demo/{path.name}" for path in (ROOT / "share/demo").iterdir()},
    }
    assert set(files) == expected
    assert {"docs/windows.md", "docs/windows-driver.md", "docs/json.md", "docs/recordings.md",
            "examples/windows/read_ring.c", "include/ptpmon.h", "include/avb/avb_ptp_ioctl.h"} <= set(files)
    with zipfile.ZipFile(path) as archive:
        assert {name.split("/")[0] for name in archive.namelist()} == {f"ptpmon-{VERSION}-windows-x64"}
        assert archive.testzip() is None


def test_the_same_sources_give_the_same_bytes(path, directory):
    assert (directory / "again" / path.name).read_bytes() == path.read_bytes()


@pytest.mark.parametrize("which", ["zip", "wheel"])
def test_nothing_tells_when_and_by_whom_it_was_packed(path, files, which):
    with zipfile.ZipFile(path if which == "zip" else io.BytesIO(files[WHEEL])) as archive:
        entries = archive.infolist()
    assert [entry.filename for entry in entries] == sorted(entry.filename for entry in entries)
    assert len({entry.date_time for entry in entries}) == 1
    assert {(entry.create_system, entry.external_attr >> 16 & 0o077) for entry in entries} == {(0, 0)}
    assert not any(entry.extra or entry.comment for entry in entries)


def test_nothing_tells_where_it_was_built(files, directory):
    for name, content in files.items():
        if not name.startswith("symbols/"):
            assert str(ROOT).encode() not in content, name
            assert str(directory).encode() not in content, name


def test_files_are_those_of_the_sources(files):
    for name in (*sources("include/**/*.h"), *sources("python/ptp_monitor/*.py"), *sources("docs/*.md"),
                 *sources("examples/**/*.c"), "core/ring.c"):
        assert files[name] == (ROOT / name).read_bytes(), name


def test_signed_one_differs_in_signatures_alone(files, directory, tmp_path):
    """And Windows has what it takes the driver by: a signed catalog, and the certificate to import."""
    found, = (directory / "signed").glob("*.zip")
    assert found.stem == f"ptpmon-{VERSION}-windows-x64-test-signed"
    with zipfile.ZipFile(found) as archive:
        assert {name.split("/")[0] for name in archive.namelist()} == {f"ptpmon-{VERSION}-windows-x64"}
        signed = {name.split("/", 1)[1]: archive.read(name) for name in archive.namelist()}
    assert set(signed) - set(files) == {"driver/avbptpmon.cat", "driver/avbptpmon-test.cer"}
    assert {name for name in files if signed[name] != files[name]} == {"driver/avbptpmon.sys"}
    for name in ("avbptpmon.sys", "avbptpmon.cat", "avbptpmon-test.cer"):
        (tmp_path / name).write_bytes(signed[f"driver/{name}"])
    for command in ("openssl x509 -inform DER -in avbptpmon-test.cer -out certificate.pem",
                    "osslsigncode verify -CAfile certificate.pem -catalog avbptpmon.cat avbptpmon.sys"):
        subprocess.run(command.split(), cwd=tmp_path, check=True, timeout=60, stdout=subprocess.DEVNULL)
    assert not any(b"PRIVATE KEY" in content for content in signed.values())


# ---- What is to be read ------------------------------------------------------------------------


def test_readme_names_what_is_there(files):
    text = files["README.txt"].decode("ascii")
    assert "@" not in text and f"ptpmon {VERSION}" in text
    assert text.count("\n") == text.count("\r\n") > 20 and max(map(len, text.split("\r\n"))) <= 100
    named = set(re.findall(r"[\w.\\-]+\.(?:exe|dll|md|sys|man|lib|whl|a|pcapng|events)\b", text))
    folders = set(re.findall(r"^ {4}(\w+)\\ ", text, re.MULTILINE))
    there = set(files) | {name.rsplit("/", 1)[-1] for name in files}
    assert len(named) > 10
    assert {name.replace("\\", "/") for name in named} - {"trace.pcapng", "trace.events"} <= there
    assert folders == {name.split("/")[0] for name in files if "/" in name}


def test_links_in_the_documents_lead_somewhere(files):
    """In the zip, where less lies around them than in the sources."""
    headings = {}
    for name, content in files.items():
        if name.endswith(".md"):
            titles = re.findall(r"^#+ (.*)$", content.decode(), re.MULTILINE)
            headings[name] = {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}
    followed = 0
    for name in headings:
        for target in re.findall(r"\]\(([^)\s]+)\)", files[name].decode()):
            if "://" in target:
                continue
            page, _, anchor = target.partition("#")
            place = pathlib.PurePosixPath(name).parent / page if page else pathlib.PurePosixPath(name)
            parts = []
            for part in place.parts:
                parts = parts[:-1] if part == ".." else [*parts, part]
            assert "/".join(parts) in files, f"{name}: {target}"
            assert not anchor or anchor in headings["/".join(parts)], f"{name}: {target}"
            followed += 1
    assert followed > 15


def test_names_in_the_documents_are_those_of_the_driver(files):
    text = files["docs/windows.md"].decode()
    inf, manifest = files["driver/avbptpmon.inf"].decode(), files["driver/avbptpmon.man"].decode()
    provider = re.search(r'<provider name="AvbPtp" guid="(\{.*?\})"', manifest)[1]
    assert set(re.findall(r"\{[0-9A-F]{8}-[0-9A-F-]{27}\}", text)) == {provider}
    settings = set(re.findall(r"FilterAdapterParams\\(\w+)", inf))
    assert len(settings) == 3 and settings == set(re.findall(r"^\| `(Avb\w+)` \|", text, re.MULTILINE))
    assert set(re.findall(r"ptpmon_\w+", text)) - {"ptpmon_monitor"} == {"ptpmon_avb"} and ",ptpmon_avb" in inf
    display = re.search(r'^Description\s*= "(.*?)"', inf, re.MULTILINE)[1]
    assert f'"{display}"' in text


def test_specification_page_counts_its_sentences(files):
    text = files["docs/spec.md"].decode()
    states = re.findall(r"^\|.*\| (true|departed|open) \|.*\|$", text, re.MULTILINE)
    counted = tuple(states.count(state) for state in ("true", "departed", "open"))
    said = re.search(r"Of its (\d+) sentences (\d+) are true, (\d+) departed from, and (\d+) open", text)
    assert tuple(map(int, said.groups())) == (len(states), *counted)


def test_manual_pages_are_linked_with_each_other(files):
    page = files["docs/man/ptpmon.1.html"].decode()
    assert 'href="ptpmon-watch.1.html"' in page
    assert f"ptpmon {VERSION}" in page  # not the name of the system that it was made on


# ---- What runs ---------------------------------------------------------------------------------


@pytest.fixture(params=["ptpmon.exe", "ptpmon.dll"])
def program(request):
    return request.param


@pytest.fixture
def image(program, files):
    return pefile.PE(data=files[program])


def test_programs_need_the_system_alone(program, image):
    assert {module.dll.decode().lower() for module in image.DIRECTORY_ENTRY_IMPORT} <= SYSTEM_DLLS[program]
    assert not hasattr(image, "DIRECTORY_ENTRY_DELAY_IMPORT")


def test_programs_are_hard_to_attack(image):
    header = image.OPTIONAL_HEADER
    assert image.FILE_HEADER.Machine == pefile.MACHINE_TYPE["IMAGE_FILE_MACHINE_AMD64"]
    for bit in ("DYNAMIC_BASE", "HIGH_ENTROPY_VA", "NX_COMPAT"):
        assert header.DllCharacteristics & pefile.DLL_CHARACTERISTICS[f"IMAGE_DLLCHARACTERISTICS_{bit}"], bit
    # Without relocations there would be nothing random about addresses.
    assert not image.FILE_HEADER.Characteristics & pefile.IMAGE_CHARACTERISTICS["IMAGE_FILE_RELOCS_STRIPPED"]
    assert image.DIRECTORY_ENTRY_BASERELOC
    assert header.ImageBase >= 1 << 32
    for section in image.sections:
        assert not (section.IMAGE_SCN_MEM_EXECUTE and section.IMAGE_SCN_MEM_WRITE), section.Name


def test_programs_run_on_the_oldest_windows(image):
    header = image.OPTIONAL_HEADER
    assert (header.MajorSubsystemVersion, header.MinorSubsystemVersion) <= (6, 3)


def test_programs_say_what_they_are(program, image):
    """To who looks at their properties."""
    fixed, = image.VS_FIXEDFILEINFO
    numbers = [fixed.FileVersionMS >> 16, fixed.FileVersionMS & 0xFFFF, fixed.FileVersionLS >> 16]
    assert ".".join(map(str, numbers)) == VERSION
    assert fixed.FileType == {"ptpmon.exe": 1, "ptpmon.dll": 2}[program]
    strings, = [table.entries for info in image.FileInfo[0] if hasattr(info, "StringTable")
                for table in info.StringTable]
    assert strings[b"OriginalFilename"].decode() == program and strings[b"FileVersion"].decode() == VERSION


def test_programs_are_stripped_and_their_symbols_apart(files):
    for name in ("ptpmon.exe", "ptpmon.dll"):
        stripped, symbols = pefile.PE(data=files[name]), pefile.PE(data=files[f"symbols/{name}.debug"])
        # No section of DWARF, whose long names lie in the table of strings, and no symbol.
        assert not any(section.Name.startswith((b".debug", b"/")) for section in stripped.sections)
        assert stripped.FILE_HEADER.NumberOfSymbols == 0
        assert symbols.FILE_HEADER.NumberOfSymbols > 100
        code, same = (next(section.VirtualAddress for section in image.sections if section.Name.startswith(b".text"))
                      for image in (stripped, symbols))
        assert code == same


def test_driver_and_symbols_are_of_one_link(files):
    entry = next(entry for entry in pefile.PE(data=files["driver/avbptpmon.sys"]).DIRECTORY_ENTRY_DEBUG if entry.entry)
    identity = bytes.fromhex(entry.entry.Signature_String[:32])
    guid = identity[3::-1] + identity[5:3:-1] + identity[7:5:-1] + identity[8:16]
    assert guid in files["symbols/avbptpmon.pdb"]
    assert b"CopyFiles" in files["driver/avbptpmon.inf"] and b"avbptpmon.sys" in files["driver/avbptpmon.inf"]


# ---- In Wine -----------------------------------------------------------------------------------


def test_command_runs_from_a_folder_of_any_name(wine, unpacked):
    program = unpacked / "ptpmon.exe"
    status, output, error = wine.run(program, "--version", cwd=unpacked)
    assert (status, error) == (0, "") and output.startswith(f"ptpmon {VERSION}")
    status, output, error = wine.run(program, "list", "--json", cwd=unpacked)
    assert status == 0, error
    for line in output.splitlines():
        assert json.loads(line)["type"] == "interface"


def test_first_steps_of_the_readme(wine, unpacked):
    """Those that need neither driver nor rights, as they are printed there."""
    text = (unpacked / "README.txt").read_text(encoding="ascii")
    first = text.split("Live, in a terminal")[0]
    steps = [line.split() for line in re.findall(r"^ +ptpmon\.exe (.*)$", first, re.MULTILINE)]
    assert ["correlate", "demo\\gptp.pcapng", "demo\\gptp.events"] in steps and len(steps) == 3
    for step in steps:
        status, output, error = wine.run(unpacked / "ptpmon.exe", *step, cwd=unpacked)
        assert status == 0 and output, error


def test_commands_in_the_documents_are_there(wine, unpacked):
    status, output, error = wine.run(unpacked / "ptpmon.exe", "--help", cwd=unpacked)
    listed = output.split("Commands:\n")[1].split("\n\n")[0]
    commands = set(re.findall(r"^  (\w+) ", listed, re.MULTILINE))
    assert status == 0 and {"watch", "record", "correlate", "list"} <= commands, error
    for name in ("README.txt", "docs/windows.md"):
        text = (unpacked / name).read_text(encoding="utf-8")
        named = set(re.findall(r"(?:^ {4}|`)ptpmon(?:\.exe)? (\w+)", text, re.MULTILINE))
        assert len(named) > 3 and named <= commands, name


@pytest.fixture(scope="module")
def stranger(files, tmp_path_factory):
    """A folder with nothing but what the zip has, and a compiler."""
    directory = tmp_path_factory.mktemp("stranger")
    for name, content in files.items():
        place = directory / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)

    def build(program, *arguments):
        subprocess.run(["x86_64-w64-mingw32-gcc", "-std=c11", "-O2", "-Wall", "-Wextra", "-Werror", "-Iinclude",
                        "-o", program, *arguments], cwd=directory, check=True, timeout=60)
        return directory / program

    return build


@pytest.mark.parametrize("example", sorted(path.name for path in (ROOT / "examples").glob("*.c")))
def test_examples_build_from_the_zip_alone(stranger, example):
    stranger(f"{example}.exe", f"examples/{example}", "-Llib", "-lptpmon")


@pytest.mark.parametrize("library", ["lib/ptpmon.lib", "lib/libptpmon.dll.a"])
def test_example_with_the_library_reads_a_recording(wine, stranger, unpacked, library):
    program = stranger("correlate.exe", "examples/correlate.c", library)
    shutil.copy(program, unpacked)  # where ptpmon.dll is
    pair = "demo\\gptp.pcapng", "demo\\gptp.events"
    status, output, error = wine.run(unpacked / "correlate.exe", *pair, cwd=unpacked)
    assert status == 0, error
    _, json_lines, _ = wine.run(unpacked / "ptpmon.exe", "correlate", "--json", *pair, cwd=unpacked)
    summary = json.loads(json_lines.splitlines()[-1])
    assert summary["type"] == "summary" and summary["matched"] > 50
    told = {name: int(count) for name, count in re.findall(r"^(by_\w+): (\d+)", output, re.MULTILINE)}
    assert told.items() <= summary["reasons"].items() and sum(told.values()) == summary["matched"]


# ---- The client that does without the library --------------------------------------------------

LINE = re.compile(r"^(RX|TX) +(\d+\.\d{9})  (\S+) +seq +(\d+) domain +(\d+)$")


@pytest.fixture(scope="module")
def read_ring(stranger):
    """Built as its first lines say."""
    source = (ROOT / "examples/windows/read_ring.c").read_text(encoding="utf-8")
    command = re.search(r"^ \*     gcc (.*)$", source, re.MULTILINE)[1].split()
    assert command[command.index("-o") + 1] == "read_ring.exe"
    return stranger("read_ring.exe", *(word for word in command if word not in ("-o", "read_ring.exe")))


@pytest.fixture
def adapter(wine):
    number = re.search(r"adapter: (\d+)", wine.feed("attach", GUID))[1]
    yield number
    wine.feed("end")


def lines_of(output):
    """Direction, time, message, sequenceId of each record; and the last line."""
    *records, last = output.splitlines()
    matched = [LINE.match(record) for record in records]
    assert all(matched), output
    return [(match[1], float(match[2]), match[3], int(match[4])) for match in matched], last


def check_rounds(records, rounds):
    assert [(direction, message, number) for direction, _, message, number in records] == [
        one for i in range(rounds) for one in (("RX", "Sync", i), ("TX", "Pdelay_Req", i))]
    times = [time for _, time, _, _ in records]
    assert times == sorted(times) and times[0] > 0


def test_ring_is_read_until_enough_has_come(wine, read_ring, adapter):
    process = wine.start(read_ring, GUID, "40", cwd=read_ring.parent)
    wine.wait_for(process, "reading a ring of 4096 records")
    wine.feed("pass", adapter, 25)  # more than it wants
    status, output, error = wine.finish(process)
    assert status == 0, error
    records, last = lines_of(output)
    check_rounds(records, 20)
    assert re.match(r"emitted \d+, dropped 0$", last)


def test_ring_is_read_in_parts_by_a_reader_that_sleeps(wine, read_ring, adapter):
    process = wine.start(read_ring, GUID, "30", cwd=read_ring.parent)
    wine.wait_for(process, "reading a ring")
    for _ in range(3):
        wine.feed("pass", adapter, 5)  # it takes long to start: the reader has gone to sleep by then
    status, output, error = wine.finish(process)
    assert status == 0, error
    records, last = lines_of(output)
    for part in range(3):
        check_rounds(records[part * 10:part * 10 + 10], 5)
    assert last == "emitted 30, dropped 0"


def test_adapter_that_goes_wakes_the_reader(wine, read_ring, adapter):
    """What came before is read all the same."""
    process = wine.start(read_ring, GUID, cwd=read_ring.parent)
    wine.wait_for(process, "reading a ring")
    wine.feed("pass", adapter, 3)
    wine.feed("detach", adapter)
    status, output, error = wine.finish(process)
    assert status == 1 and "the adapter has gone" in error
    records, _ = lines_of(output + "end\n")
    check_rounds(records, 3)


def test_second_reader_is_refused_and_the_first_goes_on(wine, read_ring, adapter):
    process = wine.start(read_ring, GUID, "4", cwd=read_ring.parent)
    wine.wait_for(process, "reading a ring")
    status, output, error = wine.run(read_ring, GUID, cwd=read_ring.parent)
    assert status == 1 and "another process monitors it" in error and output == ""
    wine.feed("pass", adapter, 2)
    status, output, error = wine.finish(process)
    assert status == 0, error
    check_rounds(lines_of(output)[0], 2)


def test_reader_says_what_it_lacks(wine, read_ring, adapter):
    status, _, error = wine.run(read_ring, "no such adapter", cwd=read_ring.parent)
    assert status == 1 and error.startswith("no such adapter: no such adapter")
    assert wine.run(read_ring, cwd=read_ring.parent)[0] == 2


# ---- The wheel ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def wheel(files):
    with zipfile.ZipFile(io.BytesIO(files[WHEEL])) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_wheel_has_the_package_and_the_library(wheel, files):
    package = {name.removeprefix("python/"): content for name, content in files.items()
               if name.startswith("python/ptp_monitor/")}
    inside = {name: content for name, content in wheel.items() if ".dist-info/" not in name}
    assert inside == {**package, "ptp_monitor/ptpmon.dll": files["ptpmon.dll"]}


def test_wheel_is_one_as_the_format_wants_it(wheel):
    information = f"ptp_monitor-{VERSION}.dist-info"
    assert {name for name in wheel if name.startswith(information)} == {
        f"{information}/{name}" for name in ("METADATA", "WHEEL", "LICENSE", "RECORD")}
    recorded = {}
    for line in wheel[f"{information}/RECORD"].decode().splitlines():
        name, digest, size = line.split(",")
        recorded[name] = digest, size
    assert recorded.pop(f"{information}/RECORD") == ("", "")
    for name, content in wheel.items():
        if name != f"{information}/RECORD":
            digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).decode().rstrip("=")
            assert recorded.pop(name) == (f"sha256={digest}", str(len(content))), name
    assert not recorded
    about = email.message_from_bytes(wheel[f"{information}/METADATA"])
    assert (about["Metadata-Version"], about["Name"], about["Version"]) == ("2.1", "ptp-monitor", VERSION)
    assert about["Requires-Python"] == ">=3.8"
    assert all("extra ==" in need for need in about.get_all("Requires-Dist"))
    tags = email.message_from_bytes(wheel[f"{information}/WHEEL"])
    assert (tags["Wheel-Version"], tags["Root-Is-Purelib"], tags["Tag"]) == ("1.0", "false", "py3-none-win_amd64")
