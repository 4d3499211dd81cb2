# SPDX-License-Identifier: MIT
"""ptpmon.exe does on Windows what ptpmon does here: the same output, byte for byte, and the same exit codes."""
import fcntl
import json
import os
import pathlib
import re
import select
import signal
import struct
import subprocess
import termios
import time

import pytest

import recordings

ROOT = pathlib.Path(__file__).resolve().parents[3]
DEMO = ROOT / "share/demo"
NAMES = ("default", "gptp")
F_GETPIPE_SZ = 1032  # Linux; fcntl has it from Python 3.10 on

# What Windows itself brings. Nothing of mingw-w64's is needed beside the programs.
SYSTEM_DLLS = {
    "ptpmon.dll": {"advapi32.dll", "iphlpapi.dll", "kernel32.dll", "msvcrt.dll"},
    "ptpmon.exe": {"advapi32.dll", "iphlpapi.dll", "kernel32.dll", "msvcrt.dll", "ole32.dll", "setupapi.dll",
                   "shell32.dll", "version.dll"},
}

# What the command says otherwise, or alone, on one of the systems: tests/windows/user/test_driver.py looks at that.
OF_ONE_SYSTEM = re.compile(rb"""
    ^\ \ (demo|install|uninstall|status|stats)\ .*\n        # in the list of commands
    | ^\ \ \ \ \ \ --(enable-hw-stamps|no-tracing|ring)\b.*\n
    | ^\ \ man\ ptpmon\ .*\n | \nExit\ codes:\n(.*\n)+     # at the end of that list's help
    | (?<=all:\ )(man\ ptpmon|ptpmon\ --help)
    """, re.MULTILINE | re.VERBOSE)


def assert_same(wine, linux, *arguments, cwd=None):
    """Runs both and returns (exit code, standard output, standard error)."""
    ours, theirs = linux(*arguments, cwd=cwd), wine.run(*arguments, cwd=cwd)
    assert theirs == ours
    return ours


def lines_of(output):
    return [json.loads(line) for line in output.splitlines()]


# ---- Correlating ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """name -> path, of each recording in ns and ticks, and each capture in three formats."""
    directory = tmp_path_factory.mktemp("files")
    made = {}
    for name in NAMES:
        events = (DEMO / f"{name}.events").read_bytes()
        capture = (DEMO / f"{name}.pcapng").read_bytes()
        contents = {
            "ns.events": events,
            "10MHz.events": recordings.in_ticks(events, 10_000_000, True),
            "3.58MHz.events": recordings.in_ticks(events, 3_579_545, True),
            "24MHz.events": recordings.in_ticks(events, 24_000_000, False),
            "pcapng": capture,
            "ns.pcap": recordings.as_pcap(capture, True),
            "us.pcap": recordings.as_pcap(capture, False),
            "big.pcap": recordings.as_pcap(capture, True, ">"),
        }
        for kind, content in contents.items():
            path = directory / f"{name}-{kind}"
            path.write_bytes(content)
            made[name, kind] = path
    return made


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("capture, events", [
    ("pcapng", "ns.events"), ("pcapng", "10MHz.events"), ("pcapng", "3.58MHz.events"), ("pcapng", "24MHz.events"),
    ("ns.pcap", "ns.events"), ("us.pcap", "ns.events"), ("big.pcap", "10MHz.events")])
def test_json_is_the_same(wine, linux, files, name, capture, events):
    code, out, err = assert_same(wine, linux, "correlate", "--json", files[name, capture], files[name, events])
    assert (code, err) == (0, b"")
    kinds = [line["type"] for line in lines_of(out)]
    assert kinds.count("frame") > 50 and kinds[-1] == "summary"


def key_of(line):
    return line["frame_number"], line["sequenceId"], line["messageType"], line["sourcePortIdentity"], line["direction"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("events, hz", [("10MHz.events", 10_000_000), ("3.58MHz.events", 3_579_545),
                                        ("24MHz.events", 24_000_000)])
def test_ticks_give_the_pairs_and_latencies_of_ns(linux, files, name, events, hz):
    """Of a recording of Windows, read here."""
    tick = -(-10**9 // hz)
    tables = []
    for kind in ("ns.events", events):
        code, out, err = linux("correlate", "--json", files[name, "pcapng"], files[name, kind])
        assert (code, err) == (0, b"")
        tables.append({key_of(line): line for line in lines_of(out) if line["type"] == "frame"})
    in_ns, in_ticks = tables
    assert in_ns.keys() == in_ticks.keys()
    compared = 0
    for key, line in in_ns.items():
        other = in_ticks[key]
        assert other["outcome"] == line["outcome"]
        for latency in ("rx_driver_latency_ns", "tx_software_latency_ns"):
            if line[latency] is not None:
                # The stamps were moved by the reading of the clocks before them: that is known only so well.
                slack = tick + 2 * line[latency.replace("_ns", "_uncertainty_ns")]
                assert abs(other[latency] - line[latency]) <= slack
                compared += 1
        assert abs(other["time_ns"] - line["time_ns"]) <= tick
    assert compared > 50


@pytest.mark.parametrize("options", [("--time=utc",), ("--time=utc", "--wide"), ("--time=utc", "--color=always"), ("--summary",),
                                     ("--type=Sync", "--json"), ("--direction=tx", "--time=relative")])
def test_output_is_the_same(wine, linux, options):
    code, out, _ = assert_same(wine, linux, "correlate", *options, DEMO / "gptp.pcapng", DEMO / "gptp.events")
    assert code == 0 and out
    assert (b"\33[" in out) == ("--color=always" in options)


# ---- What goes wrong --------------------------------------------------------------------------


@pytest.mark.parametrize("arguments", [
    (), ("--help",), ("--version",), ("--bogus",), ("wach", "eth0"), ("correlate", "--help"), ("watch", "--help"),
    ("record", "--help"), ("list", "--help"), ("correlate",), ("correlate", "a"), ("correlate", "a", "b", "c"),
    ("correlate", "--window"), ("correlate", "--window=99", "a", "b"), ("correlate", "--json=1", "a", "b"),
    ("correlate", "--frobnicate", "a", "b"), ("correlate", "--frobnicate=1", "a", "b"), ("correlate", "-x", "a", "b"),
    ("correlate", "a", "b", "--s", "c"), ("watch",), ("list", "eth0"),
    ("correlate", "/nonexistent/a.pcapng", "/nonexistent/b.events"), ("correlate", "nothing", "--", "--either"),
    ("correlate", DEMO / "default.pcapng", DEMO / "gptp.events"),  # another time
    ("correlate", DEMO / "default.events", DEMO / "gptp.events"),  # two of a kind
    ("correlate", DEMO / "default.pcapng", DEMO / "default.pcapng"),
    ("correlate", "μέτρηση-測定.pcapng", "é.events"),
], ids=lambda arguments: " ".join(map(str, arguments)).replace(str(DEMO) + "/", "") or "nothing")
def test_messages_and_exit_codes_are_the_same(wine, linux, arguments):
    ours, theirs = linux(*arguments), wine.run(*arguments)
    assert theirs[0] == ours[0]
    for their_text, our_text in zip(theirs[1:], ours[1:]):
        assert OF_ONE_SYSTEM.sub(b"", their_text) == OF_ONE_SYSTEM.sub(b"", our_text)


@pytest.mark.parametrize("which", ["pcapng", "events"])
@pytest.mark.parametrize("damage", ["cut", "short", "empty", "text", "zeros"])
def test_damaged_files_are_told_alike(wine, linux, tmp_path, which, damage):
    content = (DEMO / f"gptp.{which}").read_bytes()
    paths = {kind: DEMO / f"gptp.{kind}" for kind in ("pcapng", "events")}
    paths[which] = tmp_path / f"damaged.{which}"
    paths[which].write_bytes({
        "cut": content[:len(content) * 2 // 3 + 5], "short": content[:20], "empty": b"", "text": b"so it is\n" * 1000,
        "zeros": content[:6000] + bytes(len(content) - 6000)}[damage])
    code, _, _ = assert_same(wine, linux, "correlate", "--json", paths["pcapng"], paths["events"])
    assert code in (0, 7)


def test_a_directory_is_no_file(wine):
    code, _, err = wine.run("correlate", DEMO, DEMO / "gptp.events")
    assert code == 1 and b"Is a directory" in err


# ---- Names of files ---------------------------------------------------------------------------


@pytest.mark.parametrize("depth", [1, 12])
def test_paths_of_any_alphabet_and_length(wine, linux, tmp_path, depth):
    place = tmp_path
    for i in range(depth):
        place /= f"Λήψη 測定 {i:02d} ünïcode-🕰-" + "x" * 8
    place.mkdir(parents=True)
    assert depth == 1 or len(str(place)) > 300
    for kind in ("pcapng", "events"):
        (place / f"gptp é.{kind}").write_bytes((DEMO / f"gptp.{kind}").read_bytes())
    arguments = ("correlate", "--json", place / "gptp é.pcapng", place / "gptp é.events")
    ours = assert_same(wine, linux, *arguments)
    assert ours[0] == 0
    windows = ["Z:" + str(path).replace("/", "\\") for path in arguments[2:]]
    code, out, err = wine.run("correlate", "--json", *windows)
    expected = ours[1]
    for path, name in zip(arguments[2:], windows):
        expected = expected.replace(str(path).encode(), json.dumps(name, ensure_ascii=False)[1:-1].encode())
    assert (code, out, err) == (0, expected, b"")


def test_relative_paths(wine, linux):
    assert assert_same(wine, linux, "correlate", "--json", "gptp.pcapng", "gptp.events", cwd=DEMO)[0] == 0


# ---- Live: what can be said without a driver --------------------------------------------------


@pytest.fixture(scope="module")
def interfaces(wine):
    code, out, err = wine.run("list", "--json")
    assert (code, err) == (0, b"")
    return lines_of(out)


def test_list_shows_every_name(wine, interfaces):
    code, out, _ = wine.run("list")
    assert code == 0
    for interface in interfaces:
        assert re.fullmatch(r"\{[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}\}", interface["guid"])
        assert interface["npcap_name"] == r"\Device\NPF_" + interface["guid"]
        for name in (interface["interface"], interface["description"], interface["npcap_name"]):
            assert name.encode() in out
    here = {path.name: (path / "address").read_text().strip() for path in pathlib.Path("/sys/class/net").iterdir()}
    for interface in interfaces:
        if interface["interface"] in here:
            assert interface["mac"] == here[interface["interface"]]


def test_an_adapter_goes_by_each_of_its_names(wine, interfaces):
    if not interfaces:
        pytest.skip("there is no adapter here to be named")
    adapter = interfaces[0]
    guid = adapter["guid"]
    for name in (adapter["interface"], adapter["interface"].upper(), adapter["description"], guid, guid[1:-1],
                 guid.lower(), adapter["npcap_name"], str(adapter["index"])):
        code, _, err = wine.run("watch", "--no-capture", name)
        assert code == 5 and f"{name}: the driver is not there" in err.decode()


@pytest.mark.parametrize("name", ["Ethernet 99", "{00000000-0000-0000-0000-000000000000}", "999999",
                                  r"\Device\NPF_{1}", "測定"])
def test_what_is_no_adapter_is_refused(wine, name):
    code, _, err = wine.run("watch", name)
    assert code == 3 and f"{name}: no such interface" in err.decode()


def test_the_demo_is_elsewhere(wine):
    code, out, err = wine.run("demo")
    assert (code, out) == (5, b"") and b"on Linux only" in err and err.count(b"\n") == 1


# ---- A console ---------------------------------------------------------------------------------


def read_until(descriptor, wanted, seconds):
    """What a terminal gets until this is among it, or the time is over."""
    seen, end = b"", time.monotonic() + seconds
    while wanted not in seen and time.monotonic() < end:
        if not select.select([descriptor], [], [], 0.2)[0]:
            continue
        try:
            part = os.read(descriptor, 65536)
        except OSError:  # the other end is closed
            break
        seen += part
    return seen


def test_a_console_gets_colours_and_whole_lines(wine):
    ours, theirs = os.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 200, 0, 0))
    process = subprocess.Popen(
        ["wine", str(wine.program), "correlate", "--count=1", DEMO / "gptp.pcapng", DEMO / "gptp.events"],
        env=wine.environment | {"TERM": "xterm"}, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True)
    try:
        os.close(theirs)
        seen = read_until(ours, b"Summary", 20)
    finally:
        process.kill()
        process.wait()
        os.close(ours)
    assert b"\33[1mMESSAGE\33[0m" in seen and b"\33[32mmatched\33[0m" in seen


# ---- Ends -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def long_files(tmp_path_factory):
    """What makes more output than goes into a pipe and all buffers before it."""
    directory = tmp_path_factory.mktemp("long")
    capture, events = directory / "long.pcap", directory / "long.events"
    times, apart = 20, 20 * recordings.NS
    capture.write_bytes(recordings.as_pcap((DEMO / "gptp.pcapng").read_bytes(), True, times=times, apart=apart))
    events.write_bytes(recordings.repeated((DEMO / "gptp.events").read_bytes(), times, apart))
    return capture, events, directory


def waiting_bytes(read_end):
    return struct.unpack("i", fcntl.ioctl(read_end, termios.FIONREAD, bytes(4)))[0]


def start_and_block(wine, long_files):
    """It writes to a pipe that nobody reads, and waits there."""
    capture, events, _ = long_files
    read_end, write_end = os.pipe()
    process = wine.start("correlate", "--json", capture, events, stdout=write_end, stderr=subprocess.DEVNULL)
    os.close(write_end)
    end = time.monotonic() + 30
    while waiting_bytes(read_end) < fcntl.fcntl(read_end, F_GETPIPE_SZ) // 2:
        assert process.poll() is None and time.monotonic() < end
        time.sleep(0.02)
    return process, read_end


def read_all(read_end):
    """To the summary, after which the pipe may stay open. Slowly: who is told to end has the time to hear of it before
    all is written."""
    read = b""
    while part := os.read(read_end, 4096):
        time.sleep(0.01)
        read += part
        if read.endswith(b"\n") and b'"type":"summary"' in read[read.rfind(b"\n", 0, -1) + 1:]:
            break
    os.close(read_end)
    return read


def test_a_reader_that_goes_is_no_error(wine, long_files):
    capture, events, directory = long_files
    read_end, write_end = os.pipe()
    with open(directory / "err", "wb") as err:
        process = wine.start("correlate", "--json", capture, events, stdout=write_end, stderr=err)
        os.close(write_end)
        os.read(read_end, 100)
        os.close(read_end)
        assert process.wait(30) == 0
    assert (directory / "err").read_bytes() == b""


def test_ctrl_c_ends_it_with_a_summary(wine, linux, long_files):
    process, read_end = start_and_block(wine, long_files)
    process.send_signal(signal.SIGINT)
    time.sleep(0.5)
    assert process.poll() is None
    lines = lines_of(read_all(read_end))
    assert process.wait(30) == 0
    whole = lines_of(linux("correlate", "--json", *long_files[:2])[1])
    assert lines[-1]["type"] == whole[-1]["type"] == "summary"
    assert len(lines) < len(whole)


# ---- The files themselves ---------------------------------------------------------------------


def objdump(path):
    return subprocess.run(["x86_64-w64-mingw32-objdump", "-p", str(path)], capture_output=True, text=True, check=True,
                          timeout=60).stdout


@pytest.mark.parametrize("name", ["ptpmon.exe", "ptpmon.dll"])
def test_nothing_but_the_system_is_needed(windows, name):
    dlls = {dll.lower() for dll in re.findall(r"DLL Name: (\S+)", objdump(windows / name))}
    assert dlls <= SYSTEM_DLLS[name]


def test_the_dll_exports_what_the_headers_declare(windows):
    headers = "".join(header.read_text() for header in sorted((ROOT / "include").glob("*.h")))
    declared = set(re.findall(r"PTPMON_API [^;]*?\b(ptpmon_\w+)\(", headers))
    table = objdump(windows / "ptpmon.dll").split("[Ordinal/Name Pointer] Table", 1)[1]
    exported = set(re.findall(r"^\s*\[\s*\d+\]\s+(?:\+base\[\s*\d+\]\s+\w+\s+)?(\w+)$", table, re.MULTILINE))
    assert exported == declared
    assert len(declared) > 40
