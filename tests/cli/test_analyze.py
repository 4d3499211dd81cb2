# SPDX-License-Identifier: MIT
"""`ptpmon analyze` as a command, on simulated recordings: which files belong together, what it writes in which form,
and what it says where there is nothing. Whether the numbers are true is tested in tests/analysis."""
import csv
import fcntl
import io
import json
import os
import pathlib
import signal
import subprocess
import sys
import termios
import time
from fractions import Fraction

import pytest

PTPMON = os.environ["PTPMON"]
PROFILES = {"e2e": {"sync", "e2e"}, "p2p": {"sync", "p2p"}, "gptp": {"sync", "p2p-as"}}


def ptpmon(*words, code=0, cwd=None):
    result = subprocess.run([PTPMON, *map(str, words)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True, timeout=100, cwd=cwd, check=False)
    assert result.returncode == code, result.stderr
    return result


def simulate(base, **settings):
    ptpmon("simulate", "-o", base, *(f"--{name.replace('_', '-')}={value}" for name, value in settings.items()))
    return base


def lines_of(*words, **how):
    return [json.loads(line) for line in ptpmon("analyze", *words, **how).stdout.splitlines()]


def of_type(lines, kind):
    return [line for line in lines if line["type"] == kind]


def exchanges(*words):
    return lines_of("--exchanges", *words)


def refused(*words):
    """The sentence of a usage error."""
    result = ptpmon("analyze", *words, code=2)
    assert result.stdout == ""
    first, second = result.stderr.splitlines()
    assert second == "Try `ptpmon analyze --help`."
    return first


@pytest.fixture(scope="module", params=sorted(PROFILES))
def trace(request, tmp_path_factory):
    """The base of a recording of both ends of a link; its .profile says which."""
    base = tmp_path_factory.mktemp(request.param) / request.param
    return simulate(base, profile=request.param, duration="12s", offset="1500ns", link_delay="400ns", seed=7)


@pytest.fixture(scope="module")
def gptp(tmp_path_factory):
    base = tmp_path_factory.mktemp("files") / "t"
    return simulate(base, profile="gptp", duration="6s", seed=3)


# ---- Exchanges ----

def test_kinds_and_numbers(trace):
    lines = exchanges(f"{trace}.client")
    computed = [line for line in lines if line["reason"] == "computed"]
    assert {line["type"] for line in lines} == {"exchange"}
    assert {line["kind"] for line in computed} == PROFILES[trace.name]
    delay = "meanPathDelay_ns" if trace.name == "e2e" else "meanLinkDelay_ns"
    for line in computed:
        if line["kind"] == "sync":
            assert (line["offsetFromMaster_ns"], line["delay_used_ns"]) == (1500, 400)
            assert line["t2"] - line["t1"] == 1900 and (line["t1_kind"], line["t2_kind"]) == ("message", "hardware")
        else:
            assert line[delay] == 400
            assert all(line[name] is not None for name in ("t1", "t2", "t3", "t4"))


def test_csv_is_the_same(trace):
    """The members of the JSON lines, from `kind` on, in their order; null is an empty cell."""
    objects = exchanges(trace)
    rows = list(csv.reader(io.StringIO(ptpmon("analyze", "--csv", trace).stdout)))
    names = list(objects[0])[2:]
    assert rows[0] == names and len(rows) == len(objects) + 1

    def cell(value):
        if value is None:
            return ""
        return str(value).lower() if isinstance(value, bool) else str(value)

    for row, line in zip(rows[1:], objects):
        for name, text in zip(names, row):
            expected = line[name]
            if isinstance(expected, float):
                assert float(text) == expected, name
            else:
                assert text == cell(expected), name


def test_csv_quotes_what_must_be(gptp, tmp_path):
    odd = tmp_path / 'a,b "c".pcap'
    with open(odd, "wb") as file:
        file.write(classic_pcap(gptp))
    rows = list(csv.DictReader(io.StringIO(ptpmon("analyze", "--csv", odd).stdout)))
    assert rows and {row["interface"] for row in rows} == {odd.name}


def exact_exchanges(path):
    """Decimals as fractions."""
    return [json.loads(line, parse_float=Fraction, parse_int=int)
            for line in ptpmon("analyze", "--exchanges", path).stdout.splitlines()]


def test_correction_of_the_request(tmp_path):
    """It takes part: behind a bridge Delay_Req comes with what the bridge has added, Delay_Resp says it again."""
    base = simulate(tmp_path / "br", profile="e2e", bridges=1, bridge_step="one", duration="10s", queue="exponential",
                    seed=11)
    requests = [line for line in exact_exchanges(f"{base}.gm") if line["kind"] == "e2e"
                and line["receiverError_ns"] is not None]
    assert len(requests) >= 8 and all(line["correction_request_ns"] > 0 for line in requests)
    for line in requests:
        added = line["correction_response_ns"] - line["correction_request_ns"]
        assert line["t4"] - added - line["own_t4"] == line["receiverError_ns"]
    for line in exact_exchanges(f"{base}.client"):
        if line["kind"] == "e2e":
            assert line["correction_request_ns"] == 0 < line["correction_response_ns"]
            added = line["correction_response_ns"] - line["correction_request_ns"]
            assert line["t4"] - added - line["t3"] == line["slaveToMaster_ns"]
        else:
            assert line["correction_request_ns"] is None


def test_corrections_that_nobody_knows(gptp):
    """Events alone do not have them, and what did not come has none."""
    for line in exchanges(f"{gptp}.client.events"):
        assert not [name for name in line if name.startswith("correction_") and line[name] is not None]
    for line in exchanges(f"{gptp}.gm"):
        if line["reason"] == "without_response":
            assert line["correction_response_ns"] is None and line["correction_request_ns"] is not None


def test_fractions_are_exact(tmp_path):
    """Granularity of 2^-4 ns: corrections have as many decimals as they need, and no more."""
    base = simulate(tmp_path / "fine", profile="gptp", duration="5s", granularity="0.0625ns", link_delay="100.0625ns",
                    drift="0.7", seed=5)
    text = ptpmon("analyze", "--exchanges", f"{base}.client").stdout
    decimals = set()
    for line in text.splitlines():
        exact = json.loads(line, parse_float=str, parse_int=str)
        for name, value in exact.items():
            if name.endswith("_ns") and value is not None and "." in value:
                assert not value.endswith("0") and len(value.split(".")[1]) <= 16, (name, value)
                decimals.add(name)
    assert decimals


def test_report_and_exchanges_together(trace):
    lines = lines_of("--json", "--exchanges", trace)
    alone = exchanges(trace)
    assert of_type(lines, "exchange") == alone
    kinds = [line["type"] for line in lines]
    assert kinds[-1] == "analysis" and kinds.count("point") == 2
    counted = {}
    for line in alone:
        counted.setdefault(line["point"], []).append(line)
    for point in of_type(lines, "point"):
        mine = counted[point["point"]]
        for kind, numbers in point["exchanges"].items():
            assert numbers["decided"] == sum(line["kind"] == kind for line in mine)
        for reason, number in point["reasons"].items():
            assert number == sum(line["reason"] == reason for line in mine)
    assert lines[-1]["exchanges"] == len(alone)


def test_the_same_every_time(trace):
    assert ptpmon("analyze", "--json", "--exchanges", trace).stdout == \
        ptpmon("analyze", "--json", "--exchanges", trace).stdout


# ---- Files ----

def classic_pcap(base):
    """The client's frames as a pcap file in ns without directions, as another tool writes it."""
    data, at, out = (base.parent / f"{base.name}.client.pcapng").read_bytes(), 0, []
    while at + 12 <= len(data):
        kind, length = (int.from_bytes(data[at + i:at + i + 4], "little") for i in (0, 4))
        if kind == 6:
            high, low, captured, full = (int.from_bytes(data[at + i:at + i + 4], "little") for i in (12, 16, 20, 24))
            seconds, ns = divmod(high << 32 | low, 10**9)
            head = b"".join(value.to_bytes(4, "little") for value in (seconds, ns, captured, full))
            out.append(head + data[at + 28:at + 28 + captured])
        at += length
    assert out
    return bytes.fromhex("4d3cb2a1020004000000000000000000ffff000001000000") + b"".join(out)


def waiting_bytes(pipe):
    """That were written and not read."""
    return int.from_bytes(fcntl.ioctl(pipe, termios.FIONREAD, bytes(4)), sys.byteorder)


def sleeps(process):
    with open(f"/proc/{process.pid}/stat", encoding="ascii") as stat:
        return stat.read().rpartition(")")[2].split()[0] == "S"


def points_of(*words, cwd=None):
    return [(line["interface"], *(os.path.basename(line[name] or "") for name in ("capture_file", "events_file")))
            for line in of_type(lines_of("--json", *words, cwd=cwd), "point")]


BOTH = [("client", "t.client.pcapng", "t.client.events"), ("gm", "t.gm.pcapng", "t.gm.events")]


@pytest.mark.parametrize("words", [
    ["t"], ["t.client", "t.gm"], ["./t"],
    ["t.client.pcapng", "t.client.events", "t.gm.pcapng", "t.gm.events"],
    ["t.client.events", "t.gm.events", "t.gm.pcapng", "t.client.pcapng"],
], ids=" ".join)
def test_pairs(gptp, words):
    assert points_of(*words, cwd=gptp.parent) == BOTH


def test_pairs_whose_names_say_nothing(gptp, tmp_path):
    for name, other in (("t.client.pcapng", "a"), ("t.client.events", "b"), ("t.gm.pcapng", "c"), ("t.gm.events", "d")):
        (tmp_path / other).write_bytes((gptp.parent / name).read_bytes())
    expected = [("client", "a", "b"), ("gm", "c", "d")]
    assert points_of("a", "b", "c", "d", cwd=tmp_path) == expected
    assert points_of("b", "a", "d", "c", cwd=tmp_path) == expected
    assert points_of("a", "c", "b", "d", cwd=tmp_path) == expected
    assert points_of("b", "d", "c", cwd=tmp_path) == [("client", "", "b"), ("gm", "c", "d")]


def test_points_of_one_name_are_told_apart(gptp, tmp_path):
    for name in ("one.pcap", "two.pcap"):
        (tmp_path / name).write_bytes(classic_pcap(gptp))
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "one.pcap").write_bytes(classic_pcap(gptp))
    names = [name for name, _, _ in points_of("one.pcap", "two.pcap", "sub/one.pcap", cwd=tmp_path)]
    assert names[:2] == ["one.pcap", "two.pcap"] and len(set(names)) == 3


def test_interfaces_of_one_name_have_their_files_behind_it(gptp, tmp_path):
    for ending in ("pcapng", "events"):
        (tmp_path / f"u.{ending}").write_bytes((gptp.parent / f"t.client.{ending}").read_bytes())
    assert [name for name, _, _ in points_of(f"{gptp}.client", tmp_path / "u")] == ["client", "client (u.events)"]


def test_files_that_do_not_belong_together(gptp):
    result = ptpmon("analyze", f"{gptp}.client.pcapng", f"{gptp}.gm.events", code=7)
    assert result.stdout == "" and "host" in result.stderr and result.stderr.count("\n") == 1


def piped(path, *words):
    """What `analyze` says where the file comes through a pipe, as its standard input."""
    with subprocess.Popen(["cat", path], stdout=subprocess.PIPE) as cat:
        result = subprocess.run([PTPMON, "analyze", *map(str, words)], stdin=cat.stdout, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True, timeout=30, check=False)
        cat.stdout.close()
    return result


@pytest.mark.parametrize("ending", ["pcapng", "pcap"])
@pytest.mark.parametrize("name", ["-", "/dev/stdin"])
def test_capture_from_a_pipe(ending, name, gptp, tmp_path):
    """Read once, from its first byte to its last."""
    path = f"{gptp}.client.pcapng"
    if ending == "pcap":
        path = tmp_path / "classic.pcap"
        path.write_bytes(classic_pcap(gptp))
    result = piped(path, "--exchanges", name)
    assert (result.returncode, result.stderr) == (0, "")
    found = [dict(json.loads(line), interface=None) for line in result.stdout.splitlines()]
    assert found and found == [dict(line, interface=None) for line in exchanges(path)]


def test_named_pipe_is_opened_once(gptp, tmp_path):
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    path = f"{gptp}.client.pcapng"
    with subprocess.Popen(["cp", path, fifo]) as writer:
        try:
            assert exchanges(fifo) == exchanges(path)
            assert writer.wait(20) == 0
        finally:
            writer.kill()


def test_pipe_cannot_be_joined_with_events(gptp):
    """That takes reading it twice; which is said, with what to do."""
    result = piped(f"{gptp}.client.pcapng", "-", f"{gptp}.client.events")
    assert (result.returncode, result.stdout) == (1, "")
    assert "cannot be read twice; copy it to a regular file" in result.stderr
    refused_by_correlate = subprocess.run(
        [PTPMON, "correlate", "-", f"{gptp}.client.events"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True, timeout=30, check=False)
    assert refused_by_correlate.returncode == 2 and "write it to a file" in refused_by_correlate.stderr


RECORD, HEADER, RECORD_CLOCKS = 64, 4096, 2


def blocks_of(pcapng):
    at = 0
    while at < len(pcapng):
        length = int.from_bytes(pcapng[at + 4:at + 8], "little")
        yield int.from_bytes(pcapng[at:at + 4], "little"), pcapng[at:at + length]
        at += length


def rotate(whole, base, count):
    """A recording as `record --rotate` would have written it: cut into `count` sets, each at a reading of the clocks in
    which no message is under way; of both sets it is the last and the first."""
    events = pathlib.Path(f"{whole}.events").read_bytes()
    head, records = events[:HEADER], [events[at:at + RECORD] for at in range(HEADER, len(events), RECORD)]
    readings = [i for i, record in enumerate(records) if record[16] == RECORD_CLOCKS]
    cuts = [readings[len(readings) * n // count] for n in range(1, count)]
    times = [int.from_bytes(records[cut][48:56], "little") for cut in cuts]  # UTC
    blocks = list(blocks_of(pathlib.Path(f"{whole}.pcapng").read_bytes()))
    head_blocks = [block for kind, block in blocks if kind in (0x0A0D0D0A, 1)]
    packets = [(int.from_bytes(block[12:16], "little") << 32 | int.from_bytes(block[16:20], "little"), block)
               for kind, block in blocks if kind == 6]
    for n, (first, last) in enumerate(zip([0, *cuts], [*cuts, len(records) - 1]), 1):
        begin, end = ([0, *times, 1 << 63][n - 1:n + 1])
        base.with_name(f"{base.name}-{n:04}.events").write_bytes(head + b"".join(records[first:last + 1]))
        base.with_name(f"{base.name}-{n:04}.pcapng").write_bytes(
            b"".join([*head_blocks, *(block for time, block in packets if begin <= time < end)]))


def told_of(lines):
    """What does not depend on how the files are cut: a frame's number does, and the order of what is decided late."""
    return sorted(json.dumps({name: value for name, value in line.items() if name not in ("frame_number", "interface")},
                             sort_keys=True) for line in lines)


@pytest.mark.parametrize("sets", [1, 2, 7])
def test_name_of_a_rotated_recording(gptp, tmp_path, sets):
    """Its sets are one point, whose exchanges, series and findings go on from one to the next; in the last one of seven
    nothing passed."""
    rotate(f"{gptp}.client", tmp_path / "rot", sets)
    (tmp_path / "rot-tail.events").write_bytes(b"of another")
    whole, rotated = (lines_of("--json", "--exchanges", name) for name in (f"{gptp}.client", tmp_path / "rot"))
    assert len(of_type(rotated, "point")) == 1
    assert told_of(of_type(rotated, "exchange")) == told_of(of_type(whole, "exchange"))
    # Whether the clock ran through between the last message of a set and the one before is told by readings after it.
    series = [[line for line in of_type(lines, "series") if line["quantity"] != "intervalError"]
              for lines in (rotated, whole)]
    assert told_of(series[0]) == told_of(series[1])
    assert of_type(rotated, "point")[0]["counts"] == of_type(whole, "point")[0]["counts"]
    first = f"{tmp_path / 'rot-0001'}"
    assert of_type(lines_of("--json", first), "analysis")[0]["messages"] == pytest.approx(
        of_type(whole, "analysis")[0]["messages"] / sets, rel=0.5)


def test_captures_of_a_rotated_recording(gptp, tmp_path):
    rotate(f"{gptp}.client", tmp_path / "rot", 3)
    for path in tmp_path.glob("*.events"):
        path.unlink()
    (tmp_path / "rot-0002.pcapng").write_bytes(b"damaged")
    result = ptpmon("analyze", "--json", tmp_path / "rot", code=7)
    assert "rot-0002.pcapng" in result.stderr
    point, = of_type([json.loads(line) for line in result.stdout.splitlines()], "point")
    both = sum(of_type(lines_of("--json", tmp_path / f"rot-000{n}.pcapng"), "analysis")[0]["messages"] for n in (1, 3))
    assert sum(kind["count"] for kind in point["messageTypes"]) == both


def test_no_such_file(tmp_path):
    assert "nowhere" in ptpmon("analyze", tmp_path / "nowhere", code=1).stderr


# ---- What one side alone tells ----

def test_capture_alone(gptp, tmp_path):
    """Of another tool's capture: turnaround and intervals as ever, all local times those of the capture."""
    path = tmp_path / "tap.pcap"
    path.write_bytes(classic_pcap(gptp))
    lines = lines_of("--json", "--exchanges", path)
    (point,) = of_type(lines, "point")
    assert (point["interface"], point["has_events"], point["has_frames"]) == ("tap.pcap", False, True)
    for line in of_type(lines, "exchange"):
        kinds = {line[f"t{i}_kind"] for i in range(1, 5)} | {line[f"own_t{i}_kind"] for i in range(1, 5)}
        assert kinds <= {"message", "capture", "none"}
        assert line["system_timestamp_ns"] is None and line["end"] == "unknown"
    stamps = {line["stamps"] for line in of_type(lines, "series")}
    assert stamps == {"capture", "message"}
    with_events = of_type(lines_of("--json", f"{gptp}.client"), "series")

    def turnarounds(series):
        return sorted((line["count"], line["minimum"], line["median"], line["maximum"]) for line in series
                      if line["quantity"] == "turnaround")

    assert turnarounds(of_type(lines, "series")) == turnarounds(with_events) != []
    text = ptpmon("analyze", path).stdout
    assert "A capture alone" in text and " hardware " not in text and " software " not in text


def test_events_alone(gptp):
    lines = lines_of("--json", "--exchanges", f"{gptp}.client.events")
    assert {line["reason"] for line in of_type(lines, "exchange")} == {"without_frame"}
    rates = {line["messageTypeName"]: line for line in of_type(lines, "series") if line["quantity"] == "intervalError"}
    assert 7.9 < rates["Sync"]["last_rate_60s"] < 8.1
    assert rates["Sync"]["count"] == 0 and rates["Sync"]["median"] is None
    assert {line["quantity"] for line in of_type(lines, "series")} == {"intervalError", "phcOffset", "phcRate"}
    assert "Events alone" in ptpmon("analyze", f"{gptp}.client.events").stdout


def test_no_ptp_message(tmp_path):
    path = tmp_path / "other.pcap"
    arp = bytes(12) + bytes.fromhex("0806") + bytes(46)
    path.write_bytes(bytes.fromhex("4d3cb2a1020004000000000000000000ffff000001000000") +
                     (1).to_bytes(4, "little") + bytes(4) + len(arp).to_bytes(4, "little") * 2 + arp)
    result = ptpmon("analyze", path)
    assert "No PTP message was seen." in result.stdout and "no ptp 1" in result.stdout
    lines = lines_of("--json", path)
    assert [line["type"] for line in lines] == ["point", "analysis"] and lines[-1]["messages"] == 0
    assert exchanges(path) == []
    ptpmon("analyze", "--strict", path, code=1)


def test_empty_capture(tmp_path):
    path = tmp_path / "empty.pcap"
    path.write_bytes(bytes.fromhex("4d3cb2a1020004000000000000000000ffff000001000000"))
    assert "No PTP message was seen." in ptpmon("analyze", path).stdout
    assert [line["type"] for line in lines_of("--json", path)] == ["point", "analysis"]


def test_file_that_ends_in_the_middle(gptp, tmp_path):
    """What a killed capture left is analyzed; damage in the middle is said, and what was before it is reported."""
    whole = classic_pcap(gptp)
    cut, damaged = tmp_path / "cut.pcap", tmp_path / "damaged.pcap"
    cut.write_bytes(whole[:len(whole) // 2])
    damaged.write_bytes(whole[:len(whole) // 2] + b"\xff" * 400 + whole[len(whole) // 2:])
    assert of_type(lines_of("--json", cut), "analysis")[0]["computed"] > 0
    result = ptpmon("analyze", "--json", damaged, code=7)
    assert "damaged.pcap" in result.stderr
    assert json.loads(result.stdout.splitlines()[-1])["computed"] > 0


# ---- Options ----

def test_stamps_of_one_kind_only(trace):
    for kind in ("software", "capture"):
        lines = exchanges(f"--stamps={kind}", f"{trace}.client")
        assert {line["t2_kind"] for line in lines if line["kind"] == "sync"} == {kind}


def test_domains(tmp_path):
    base = simulate(tmp_path / "d", profile="gptp", duration="5s", domains="0,20")
    assert {line["domainNumber"] for line in exchanges(f"{base}.client") if line["kind"] == "sync"} == {0, 20}
    only = [line for line in exchanges("--domain=20", f"{base}.client") if line["kind"] != "p2p-as"]
    assert {line["domainNumber"] for line in only} == {20} and len(only) > 30
    path = tmp_path / "d.pcap"
    path.write_bytes(classic_pcap(base))
    assert {(line["domainNumber"], line["kind"]) for line in exchanges("--domain=20", path)} == {(20, "sync"), (0, "p2p-as")}


def test_points_that_share_a_clock(tmp_path):
    base = simulate(tmp_path / "b", profile="gptp", duration="5s", bridges=1)
    both = [f"{base}.bridge1-up", f"{base}.bridge1-down"]
    shared = [line for line in exchanges("--same-clock", *both) if line["kind"] == "transit"]
    assert shared and all(line["residenceTime_ns"] > 0 for line in shared)
    apart = [line for line in exchanges(*both) if line["kind"] == "transit"]
    assert len(apart) == len(shared) and all(line["residenceTime_ns"] is None for line in apart)
    assert "--same-clock does" in ptpmon("analyze", *both).stdout
    assert "--same-clock does" not in ptpmon("analyze", "--same-clock", *both).stdout


def test_points_are_read_side_by_side(tmp_path):
    """However long the files are, and in whatever order they are named: no message waits for its like at another point
    for longer than the window."""
    base = simulate(tmp_path / "b", profile="gptp", duration="90s", bridges=1, truth="none")
    for both in (["up", "down"], ["down", "up"]):
        lines = exchanges("--same-clock", *(f"{base}.bridge1-{side}" for side in both))
        passed = [line["sequenceId"] for line in lines
                  if line["kind"] == "transit" and line["messageTypeName"] == "Sync"]
        sent = [line["sequenceId"] for line in lines
                if line["kind"] == "sync" and line["reason"] == "computed"]
        assert sorted(passed) == sorted(sent) and len(passed) > 700


def test_asymmetry_needs_the_true_offset(tmp_path):
    base = simulate(tmp_path / "a", profile="e2e", duration="20s", asymmetry="60ns", offset="1000ns")
    (hidden,) = of_type(lines_of("--json", f"{base}.client"), "asymmetry")
    assert hidden["method"] == "not_observable" and hidden["delayAsymmetry"] is None
    (told,) = of_type(lines_of("--json", "--true-offset=1000", f"{base}.client"), "asymmetry")
    assert told["method"] == "by_reference" and abs(told["delayAsymmetry"] - 60) <= told["bound"] + 1
    text = ptpmon("analyze", f"{base}.client").stdout
    assert "not observable" in text and "--true-offset" in text


def test_time_error_and_masks(tmp_path):
    base = simulate(tmp_path / "te", profile="gptp", duration="30s", offset="50ns")
    (line,) = of_type(lines_of("--json", "--mask=g.8273.2-c", f"{base}.client"), "time_error")
    assert (line["tau0_ns"], line["stretches"], line["mask"]) == (125000000, 1, "G.8273.2-C")
    assert line["max_te"] == 50 and line["cte"] == 50 and line["dte_low_pp"] == 0
    limits = {limit["limit_of"]: limit for limit in line["limits"]}
    assert limits["cte"]["verdict"] == "exceeded" and limits["max_te"]["verdict"] == "exceeded"
    assert limits["dte_low_mtie"]["verdict"] == "within" and line["verdict"] == "exceeded"
    ptpmon("analyze", "--mask=G.8273.2-C", "--strict", f"{base}.client", code=1)
    ptpmon("analyze", "--mask=G.8273.2-A", "--strict", f"{base}.client", code=0)
    text = ptpmon("analyze", "--mask=G.8273.2-C", f"{base}.client").stdout
    assert "50.000 (> 10.000)" in text and "G.8273.2-C: exceeded, over 30 s only" in text
    (slow,) = of_type(lines_of("--json", "--te", "--tau0=1s", f"{base}.client"), "time_error")
    assert slow["tau0_ns"] == 10**9 and slow["mask"] is None and slow["verdict"] is None


def test_interval_beyond_the_filter(tmp_path):
    """Syncs 8 s apart: TE, cTE, MTIE and TDEV need no filter. What needs it is not known, so no mask that limits it is
    kept."""
    base = simulate(tmp_path / "slow", profile="e2e", sync_interval=3, duration="600s", offset="20ns", truth="none")
    lines = lines_of("--json", "--mask=G.8273.2-A", f"{base}.client")
    (line,) = of_type(lines, "time_error")
    assert line["tau0_ns"] == 8 * 10**9 and line["samples"] > 70
    assert line["max_te"] == 20 and line["cte"] == 20
    assert line["max_te_low"] is None and line["dte_low_pp"] is None and line["dte_high_pp"] is None
    for window in line["windows"]:
        assert window["mtie"] == 0 and window["dte_low_mtie"] is None and window["dte_low_tdev"] is None
    assert line["windows"][0]["tdev"] == 0
    verdicts = {limit["limit_of"]: limit["verdict"] for limit in line["limits"]}
    assert verdicts["max_te"] == verdicts["cte"] == "within" and verdicts["dte_high_pp"] is None
    assert line["verdict"] is None and lines[-1]["verdict"] is None
    text = ptpmon("analyze", "--mask=G.8273.2-A", f"{base}.client")
    assert "Time error" in text.stdout and text.stderr == ""


def test_strict_needs_a_verdict(tmp_path):
    base = simulate(tmp_path / "slow", profile="e2e", sync_interval=3, duration="600s", truth="none")
    ptpmon("analyze", "--strict", f"{base}.client")
    ptpmon("analyze", "--strict", "--te", f"{base}.client")
    ptpmon("analyze", "--strict", "--mask=G.8273.2-A", f"{base}.client", code=1)
    ptpmon("analyze", "--strict", "--mask=PRTC-B", f"{base}.client", code=0)


def test_strict(gptp, tmp_path):
    ptpmon("analyze", "--strict", f"{gptp}.client")
    lossy = tmp_path / "lossy"
    ptpmon("simulate", "-o", lossy, "--profile=gptp", "--duration=10s", "--fault=loss:type=sync,p=0.2")
    ptpmon("analyze", f"{lossy}.client")
    ptpmon("analyze", "--strict", f"{lossy}.client", code=1)


@pytest.mark.parametrize("words, named", [
    ([], "name a capture"),
    (["--stamps=best", "x"], "--stamps: `best`"),
    (["--window=31s", "x"], "--window: `31s`"),
    (["--delay-filter=0", "x"], "--delay-filter: `0`"),
    (["--true-offset=1us", "x"], "--true-offset: `1us`"),
    (["--mask=G.8273.2-E", "x"], "--mask: `G.8273.2-E`"),
    (["--tau0=0", "x"], "--tau0: `0`"),
    (["--domain=256", "x"], "--domain: `256`"),
    (["--csv", "--json", "x"], "--csv does not go with"),
    (["--csv", "--exchanges", "x"], "--csv does not go with"),
    (["--te", "--csv", "x"], "--te and --mask"),
    (["--exchanges", "--mask=PRTC-A", "x"], "--te and --mask"),
    (["--json=yes", "x"], "--json"),
    (["x"] * 200, "200 files"),
], ids=lambda value: " ".join(value)[:30])
def test_wrong_arguments(words, named):
    assert named in refused(*words)


def test_colours_only_where_asked_for(gptp):
    assert "\033" not in ptpmon("analyze", gptp).stdout
    assert "\033[1m" in ptpmon("analyze", "--color=always", gptp).stdout


# ---- Being stopped ----

def test_interrupted_it_reports_what_it_has_read(tmp_path):
    """Its output is not read for now, so it cannot have come to the end."""
    base = simulate(tmp_path / "long", profile="gptp", duration="600s", sync_interval=-7, truth="none",
                    observe="client")
    process = subprocess.Popen([PTPMON, "analyze", "--json", "--exchanges", f"{base}.client"], stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True)
    with process:
        first = process.stdout.readline()
        process.send_signal(signal.SIGINT)
        rest = process.stdout.read()
        assert process.wait(20) == 0, process.stderr.read()
    assert json.loads(first)["type"] == "exchange"
    lines = [json.loads(line) for line in rest.splitlines()]
    assert lines[-1]["type"] == "analysis" and 0 < lines[-1]["exchanges"] < 600 * 128
    assert lines[-1]["stopped"] is True


def test_interrupted_at_a_pipe(gptp):
    """What has come through it is reported, though more could follow."""
    with open(f"{gptp}.client.pcapng", "rb") as file:
        content = file.read()
    frames = of_type(lines_of("--json", f"{gptp}.client.pcapng"), "analysis")[0]["messages"]
    process = subprocess.Popen([PTPMON, "analyze", "--json", "--exchanges", "-"], stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    with process:
        process.stdin.write(content)
        process.stdin.flush()
        while waiting_bytes(process.stdin) or not sleeps(process):  # all is taken: what follows is waited for
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        rest = process.stdout.read().splitlines()
        assert process.wait(20) == 0
        assert process.stderr.read() == b"ptpmon analyze: stopped: the report is of what was read until then\n"
    assert json.loads(rest[-1])["messages"] >= frames - 1


def test_events_from_a_pipe(gptp):
    result = piped(f"{gptp}.client.events", "-")
    assert result.returncode == 7 and "recorded events, not a capture" in result.stderr
