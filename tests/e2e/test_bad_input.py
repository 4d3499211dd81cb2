# SPDX-License-Identifier: MIT
"""
What cannot work: wrong arguments, interfaces that are not there or go away, missing rights. Each
time one sentence names the object and the remedy, the exit code is the documented one, and
standard output stays what it promised to be.
"""
import signal

import pytest

import frames
from compare import assert_all_matched, assert_complete
from lab import as_nobody, run, wait_until, without_btf
from monitor import Monitor, Recording, parse_lines
from truth import Truth, read_all, settle

FAILED, USAGE, INTERFACE, RIGHTS, UNSUPPORTED = 1, 2, 3, 4, 5
FRAMES = 20


def send(lab, end, count=FRAMES, first=0):
    raw = lab.packet_socket(end)
    for sequence_id in range(first, first + count):
        raw.send(frames.ethernet(frames.ptp(sequence_id)))


def assert_sentence(text, *words):
    """One line on standard error, for people: no usage text behind it, no trace of a crash."""
    assert text.endswith("\n") and text.count("\n") == 1, text
    for word in words:
        assert word in text, text


# ---- Arguments ----

@pytest.mark.parametrize("arguments, words", [
    (["frobnicate"], ["frobnicate"]),
    (["wacth"], ["`wacth`", "`watch`"]),
    (["--frobnicate"], ["--frobnicate"]),
    (["watch"], ["interface", "ptpmon list"]),
    (["watch", "--json"], ["interface"]),
    (["watch", ""], ["``"]),
    (["watch", "x" * 300], ["xxx"]),
    (["watch", "eth9", "eth9"], ["eth9", "twice"]),
    (["watch", *(f"eth{number}" for number in range(100))], ["100"]),
    (["watch", "--frobnicate", "eth9"], ["--frobnicate"]),
    (["watch", "-x", "eth9"], ["-x"]),
    (["watch", "--domain"], ["--domain", "value"]),
    (["watch", "--json=yes", "eth9"], ["--json", "no value"]),
    (["watch", "--domain=256", "eth9"], ["--domain", "256"]),
    (["watch", "--domain=0,", "eth9"], ["--domain"]),
    (["watch", "--type=synk", "eth9"], ["--type", "synk"]),
    (["watch", "--type=16", "eth9"], ["--type", "16"]),
    (["watch", "--port=12345", "eth9"], ["--port", "12345"]),
    (["watch", "--direction=up", "eth9"], ["--direction", "up"]),
    (["watch", "--vlan=4096", "eth9"], ["--vlan", "4096"]),
    (["watch", "--duration=0", "eth9"], ["--duration", "`0`"]),
    (["watch", "--duration=-5", "eth9"], ["--duration", "-5"]),
    (["watch", "--duration=5parsec", "eth9"], ["--duration", "5parsec"]),
    (["watch", "--duration=nan", "eth9"], ["--duration", "nan"]),
    (["watch", "--duration=1e400", "eth9"], ["--duration", "1e400"]),
    (["watch", "--count=0", "eth9"], ["--count", "`0`"]),
    (["watch", "--count=99999999999999999999", "eth9"], ["--count"]),
    (["watch", "--time=noon", "eth9"], ["--time", "noon"]),
    (["watch", "--phc=gps", "eth9"], ["--phc", "gps"]),
    (["watch", "--color=red", "eth9"], ["--color", "red"]),
    (["watch", "--ring=3000", "eth9"], ["--ring", "3000"]),
    (["watch", "--ring=", "eth9"], ["--ring"]),
    (["list", "eth9"], ["eth9"]),
    (["demo", "eth9"], ["eth9"]),
    (["demo", "--duration=1s"], ["--duration", "1s"]),
    (["demo", "--profile=aes67"], ["--profile", "aes67"]),
], ids=lambda value: " ".join(value)[:40])
def test_wrong_arguments(ptpmon, arguments, words):
    result = run(ptpmon, *arguments, check=False)
    assert result.returncode == USAGE
    assert result.stdout == ""
    first, second = result.stderr.splitlines()
    assert first.startswith("ptpmon") and all(word in first for word in words), first
    assert second.startswith("Try `ptpmon") and "--help" in second, second


def test_no_arguments(ptpmon):
    result = run(ptpmon, check=False)
    assert result.returncode == USAGE and result.stdout == "" and "Usage:" in result.stderr


def test_what_a_terminal_would_obey_is_not_printed(ptpmon):
    result = run(ptpmon, "watch", "eth\x1b[2J\x07\n9", check=False)
    assert result.returncode == INTERFACE
    assert "\x1b" not in result.stderr and "\x07" not in result.stderr
    assert_sentence(result.stderr, "no such interface")


# ---- Interfaces ----

@pytest.mark.parametrize("options", [[], ["--json"]], ids=["table", "json"])
def test_unknown_interface(lab, ptpmon, options):
    end = lab.link()[0]
    result = end.run(ptpmon, "watch", *options, "nosuch0", check=False)
    assert result.returncode == INTERFACE and result.stdout == ""
    assert_sentence(result.stderr, "nosuch0: no such interface", "ptpmon list")


def test_one_unknown_of_two_interfaces(lab, ptpmon):
    """Nothing begins before everything can."""
    end = lab.link()[0]
    result = end.run(ptpmon, "watch", "--json", end.interface, "nosuch0", check=False)
    assert result.returncode == INTERFACE and result.stdout == ""
    assert_sentence(result.stderr, "nosuch0")


def test_interface_of_another_namespace(lab, ptpmon):
    ends = lab.link()
    result = ends[0].run(ptpmon, "watch", ends[1].interface, check=False)
    assert result.returncode == INTERFACE
    assert_sentence(result.stderr, ends[1].interface)


def test_not_ethernet(lab, ptpmon):
    """The capture refuses what has no Ethernet framing, and the monitor does not stay attached."""
    end = lab.link()[0]
    end.ip("tuntap", "add", "tun0", "mode", "tun")
    end.ip("link", "set", "tun0", "up")
    result = end.run(ptpmon, "watch", "--json", "--duration=1", "tun0", check=False)
    assert result.returncode == UNSUPPORTED, (result.returncode, result.stderr)
    assert_sentence(result.stderr, "tun0", "Ethernet")


VANISHING = {
    "deleted": lambda end, other: end.ip("link", "del", end.interface),
    "moved": lambda end, other: end.ip("link", "set", end.interface, "netns", other.namespace),
}


@pytest.mark.parametrize("options", [[], ["--no-capture"]], ids=["capture", "no capture"])
@pytest.mark.parametrize("way", VANISHING)
def test_interface_vanishes(lab, ptpmon, way, options):
    """What passed before it went is still told."""
    ends = lab.link()
    monitor = Monitor(lab, ptpmon, ends[1], *options)
    monitor.wait_ready()
    send(lab, ends[0])
    settle()
    VANISHING[way](ends[1], ends[0])
    assert monitor.process.wait() == INTERFACE, monitor.process.stderr
    assert_sentence(monitor.process.stderr, ends[1].interface, "vanished")
    recording = Recording(parse_lines(monitor.process.stdout))
    assert len(recording.events("rx")) == FRAMES


def test_one_of_two_interfaces_vanishes(lab, ptpmon):
    """The other one is watched on."""
    sender, port, _, _ = lab.bridge()
    process = lab.start("ptpmon", [ptpmon, "watch", "--json", "port0", "port1"], port)
    process.wait_for('"interface":"port1"', "stdout")
    port.ip("link", "del", "port1")
    process.wait_for("vanished", "stderr")
    send(lab, sender)
    settle()
    assert process.stop() == INTERFACE
    assert_sentence(process.stderr, "port1")
    lines = parse_lines(process.stdout)
    assert lines[-1]["type"] == "summary"
    assert sum(line["type"] == "frame" and line["interface"] == "port0" for line in lines) == FRAMES


def test_interface_goes_down_and_up(lab, ptpmon):
    """A link that is down has not vanished: what passes afterwards is seen as well."""
    ends = lab.link()
    monitor = Monitor(lab, ptpmon, ends[1])
    monitor.wait_ready()
    send(lab, ends[0])
    settle()
    ends[1].ip("link", "set", ends[1].interface, "down")
    ends[1].ip("link", "set", ends[1].interface, "up")
    for end in ends:  # the kernel lets the peer send again a little later
        wait_until(end.is_up, f"{end.interface} is up")
    send(lab, ends[0], first=FRAMES)
    settle()
    recording = monitor.stop()
    assert [line["sequenceId"] for line in recording.events("rx")] == list(range(2 * FRAMES))
    assert_all_matched(recording)


# ---- Rights ----

NEEDED = ["bpf", "net_admin", "perfmon"]


def test_no_rights(lab, reachable_ptpmon):
    end = lab.link()[0]
    result = end.run(*as_nobody(reachable_ptpmon, [], "watch", "--json", end.interface), check=False)
    assert result.returncode == RIGHTS and result.stdout == ""
    assert_sentence(result.stderr, end.interface, "root", "CAP_BPF", "CAP_NET_ADMIN", "CAP_PERFMON")


@pytest.mark.parametrize("missing", NEEDED)
def test_one_right_is_missing(lab, reachable_ptpmon, missing):
    end = lab.link()[0]
    rights = [right for right in [*NEEDED, "net_raw"] if right != missing]
    result = end.run(*as_nobody(reachable_ptpmon, rights, "watch", "--json", end.interface), check=False)
    assert result.returncode == RIGHTS and result.stdout == "", result.stderr
    assert_sentence(result.stderr, end.interface, f"CAP_{missing.upper()}")


def watch_as_nobody(lab, program, rights, ends):
    """Watches some frames; returns the process, ended, and what tcpdump saw."""
    truth = Truth(lab, ends[1])
    process = lab.start("ptpmon", as_nobody(program, rights, "watch", "--json", ends[1].interface), ends[1])
    truth.wait_ready()
    process.wait_for('"type":"start"', "stdout")
    send(lab, ends[0])
    settle()
    assert process.stop(signal.SIGINT) == 0, process.stderr
    truth.stop()
    read_all(lab, [truth])
    return process, truth


def test_all_rights_but_not_root(lab, reachable_ptpmon):
    ends = lab.link()
    process, truth = watch_as_nobody(lab, reachable_ptpmon, [*NEEDED, "net_raw"], ends)
    assert process.stderr == ""
    recording = Recording(parse_lines(process.stdout))
    assert_complete(recording, truth)


def test_no_right_to_capture(lab, reachable_ptpmon):
    """The events come all the same; a sentence says that there is nothing to compare them with."""
    ends = lab.link()
    process, truth = watch_as_nobody(lab, reachable_ptpmon, NEEDED, ends)
    assert_sentence(process.stderr, ends[1].interface, "CAP_NET_RAW")
    recording = Recording(parse_lines(process.stdout))
    assert not recording.start["captures"] and recording.capture is None
    assert [line["sequenceId"] for line in recording.events("rx")] == list(range(FRAMES))
    assert {line["outcome"] for line in recording.lines} == {None}
    assert len(recording.warnings) == 1 and "CAP_NET_RAW" in recording.warnings[0]["message"]
    assert recording.summary["events"] == len(truth.frames["rx"]) == FRAMES
    assert recording.summary["frames"] == recording.summary["matched"] == 0


def test_no_tracing(lab, ptpmon):
    """Without it everything is seen but the TX queue and TX stamps."""
    ends = lab.link()
    truths = [Truth(lab, end) for end in ends]
    monitors = [Monitor(lab, ptpmon, end, "--no-tracing") for end in ends]
    for one in [*truths, *monitors]:
        one.wait_ready()
    send(lab, ends[0])
    settle()
    recordings = [monitor.stop() for monitor in monitors]
    for truth in truths:
        truth.stop()
    read_all(lab, truths)
    for recording, truth in zip(recordings, truths):
        start = recording.start
        assert start["tx_stamps"] == "none" and not start["tx_queue_known"]
        assert start["tx_frames"] == start["rx_frames"]
        assert_complete(recording, truth)
        assert_all_matched(recording)
    assert {line["queueId"] for line in recordings[0].events("tx")} == {None}


# ---- The kernel ----

@pytest.mark.parametrize("options", [[], ["--no-tracing"]], ids=["tracing", "no tracing"])
def test_kernel_without_btf(lab, ptpmon, options):
    end = lab.link()[0]
    result = end.run(*without_btf(ptpmon, "watch", "--json", *options, end.interface), check=False)
    assert result.returncode == UNSUPPORTED and result.stdout == ""
    assert_sentence(result.stderr, end.interface, "BTF")


# ---- Standard output ----

def test_output_that_cannot_be_written(lab, ptpmon):
    end = lab.link()[0]
    result = end.run("sh", "-c", f"'{ptpmon}' watch --json --duration=5 {end.interface} > /dev/full", check=False)
    assert result.returncode == FAILED
    assert_sentence(result.stderr, "standard output", "No space left on device")
