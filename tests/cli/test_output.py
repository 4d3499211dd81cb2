# SPDX-License-Identifier: MIT
"""Standard output of every command: signals do not end a write, and what cannot be written is said."""
import fcntl
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import termios
import time

import pytest

PTPMON = os.environ["PTPMON"]
ROOT = pathlib.Path(__file__).resolve().parents[2]
PIPE_BYTES = 65536  # also about what is written at once: the first write fills it, the next one waits


@pytest.fixture(scope="module")
def trace(tmp_path_factory):
    path = tmp_path_factory.mktemp("output") / "t"
    subprocess.run([PTPMON, "simulate", "-o", path, "--profile=e2e", "--sync-interval=-5", "--delay-interval=-5",
                    "--duration=60s", "--truth=none"], check=True, stdout=subprocess.DEVNULL)
    return [f"{path}.client.events", f"{path}.client.pcapng"]


class Slow:
    """A process whose standard output is a pipe that nobody reads yet."""

    def __init__(self, arguments, flags=0):
        self.end, write = os.pipe()
        fcntl.fcntl(write, fcntl.F_SETFL, fcntl.fcntl(write, fcntl.F_GETFL) | flags)
        self.process = subprocess.Popen([PTPMON, *arguments], stdout=write, stderr=subprocess.PIPE, text=True)
        os.close(write)
        self._wait_for_a_full_pipe()

    def _wait_for_a_full_pipe(self):
        seen, until = 0, time.monotonic() + 60
        while seen < 5:
            assert self.process.poll() is None, self.process.communicate()
            assert time.monotonic() < until, "it does not wait for its reader"
            held = fcntl.ioctl(self.end, termios.FIONREAD, bytes(4))
            with open(f"/proc/{self.process.pid}/stat", encoding="ascii") as stat:
                sleeps = stat.read().rpartition(")")[2].split()[0] == "S"
            seen = seen + 1 if int.from_bytes(held, sys.byteorder) > PIPE_BYTES // 2 and sleeps else 0
            time.sleep(0.01)

    def rest(self):
        with os.fdopen(self.end) as end:
            text = end.read()
        return text, self.process.communicate()[1], self.process.returncode


COMMANDS = {
    "analyze --exchanges": ["analyze", "--exchanges"],
    "analyze --csv": ["analyze", "--csv"],
    "correlate": ["correlate", "--color=never"],
    "correlate --json": ["correlate", "--json"],
}


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_while_the_reader_is_slow_ends_at_the_next_record(trace, name, number):
    slow = Slow([*COMMANDS[name], *trace])
    slow.process.send_signal(number)
    time.sleep(0.05)
    text, error, code = slow.rest()
    assert code == 0 and "cannot write" not in error, error
    assert text.endswith("\n")
    lines = text.splitlines()
    if "csv" in name:
        assert {line.count(",") for line in lines} == {lines[0].count(",")}
    elif "json" in name or "exchanges" in name:
        assert all(json.loads(line)["schema"] == 1 for line in lines)
    else:
        assert any(line.startswith("Summary") for line in lines)


def test_a_second_ctrl_c_ends_a_command_that_nobody_reads(trace):
    slow = Slow(["analyze", "--exchanges", *trace])
    until = time.monotonic() + 60
    while slow.process.poll() is None and time.monotonic() < until:  # two that come at once are one
        slow.process.send_signal(signal.SIGINT)
        time.sleep(0.1)
    assert slow.process.returncode == -signal.SIGINT
    slow.rest()


def test_a_pipe_that_does_not_wait_is_waited_for(trace):
    """Other processes with the same pipe may have said so."""
    slow = Slow(["analyze", "--csv", *trace], os.O_NONBLOCK)
    text, error, code = slow.rest()
    whole = subprocess.run([PTPMON, "analyze", "--csv", *trace], stdout=subprocess.PIPE, text=True, check=True).stdout
    assert (text, error, code) == (whole, "", 0)


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["help"], ["help", "watch"], ["list", "--help"],
                                       ["install", "--help"]])
def test_help_that_cannot_be_written_is_a_failure(arguments):
    with open("/dev/full", "w", encoding="ascii") as full:
        ended = subprocess.run([PTPMON, *arguments], stdout=full, stderr=subprocess.PIPE, text=True)
    assert ended.returncode == 1 and "standard output: cannot write: No space left on device" in ended.stderr


def test_delay_filter_is_as_long_as_it_is_said_to_be(trace):
    """The greatest number that the message names is taken by what computes, too."""
    refused = subprocess.run([PTPMON, "analyze", "--delay-filter=4294967296", *trace], stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, text=True)
    greatest = int(re.search(r"a number of delays, 1 to (\d+)", refused.stderr).group(1))
    for number, code in ((1, 0), (greatest, 0), (greatest + 1, 2), (0, 2)):
        ended = subprocess.run([PTPMON, "analyze", f"--delay-filter={number}", *trace], stdout=subprocess.DEVNULL,
                               stderr=subprocess.PIPE, text=True)
        assert ended.returncode == code and ("1 to" in ended.stderr) == (code == 2), ended.stderr
    manual = (ROOT / "docs" / "man" / "ptpmon-analyze.1").read_text(encoding="utf-8")
    assert f"10 by default, {greatest} at most" in manual


@pytest.mark.parametrize("name", ["", ".", "..", "none/", "/"])
def test_record_refuses_what_is_no_name_of_files(tmp_path, name):
    ended = subprocess.run([PTPMON, "record", "-o", name, "lo"], stderr=subprocess.PIPE, text=True, cwd=tmp_path,
                           timeout=20)
    assert ended.returncode == 2 and f"--output: `{name}` is not" in ended.stderr
    assert not list(tmp_path.iterdir())
