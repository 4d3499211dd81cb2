# SPDX-License-Identifier: MIT
"""A Wine session in the namespace of one end of a veth, with the driver in it and an adapter that is the veth's."""
import os
import pathlib
import re
import shlex
import shutil
import signal
import sys

import pytest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "wine"), str(HERE.parents[1] / "e2e")]

import session as sessions  # noqa: E402
from lab import Lab  # noqa: E402

RING_RECORDS = 4096
TOOLS = ("ip", "ptp4l", "tcpdump", "tshark", "mergecap")


def pytest_addoption(parser):
    parser.addoption("--linux", required=True, help="the ptpmon of this system")
    parser.addoption("--driver", required=True, help="directory with ndislab.sys and avbptpmon_t.sys")
    parser.addoption("--command", required=True, help="directory with ptpmon.exe")
    parser.addoption("--bridge", required=True, help="chain_bridge.exe")


def missing():
    """Why the tests cannot run; None: they can."""
    if os.geteuid() != 0:
        return "the chain in Wine is not tested: network namespaces need root"
    lacking = [tool for tool in TOOLS if not shutil.which(tool)]
    if lacking:
        return f"the chain in Wine is not tested: {', '.join(lacking)} not installed; `make setup` installs it"
    return sessions.missing()


def pytest_sessionstart():
    # The fixtures clean up on KeyboardInterrupt; make an ordinary kill one, and Ctrl-C where it was ignored.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)


def pytest_collection_modifyitems(items):
    """Where they cannot run: one test, skipped, and its reason."""
    reason = missing()
    if reason:
        del items[1:]
        for item in items:
            item.add_marker(pytest.mark.skip(reason=reason))


class Chain:
    """The veth's ends, and what runs in Wine at the first of them: its programs are as those of this system to the
    classes of the end-to-end tests."""

    def __init__(self, lab, driver, command, bridge):
        self.lab = lab
        self.ends = lab.link()
        self.session = sessions.Session(driver, lab.directory / "wine")
        self.session.before = ["ip", "netns", "exec", self.end.namespace, *self.session.before]
        self.session.environment.update(TZ="UTC")
        self.command = command
        self.ptpmon = self.wrapper("ptpmon", command / "ptpmon.exe")
        self.bridge = self.wrapper("chain_bridge", bridge)
        self.adapter = None

    @property
    def end(self):
        return self.ends[0]

    def wrapper(self, name, program):
        """A script that becomes the program."""
        script = self.lab.directory / name
        ours = {key: value for key, value in self.session.environment.items() if os.environ.get(key) != value}
        words = ["unset DISPLAY;", "export", *[f"{key}={shlex.quote(value)}" for key, value in ours.items()], ";",
                 "exec", *sessions.at_fixed_addresses(), "wine", shlex.quote(str(program)), '"$@"']
        script.write_text(f"#!/bin/sh\n{' '.join(words)}\n", encoding="ascii")
        script.chmod(0o755)
        return script

    def run_bridge(self, *arguments):
        """What it said."""
        process = self.lab.start("bridge", [self.bridge, *arguments], self.end)
        assert process.wait() == 0, process.stdout + process.stderr
        return process.stdout

    def attach(self, ring_records):
        said = self.run_bridge("attach", self.end.interface, ring_records)
        self.adapter = re.search(r"^adapter: (\d+)", said, re.MULTILINE)[1]

    def detach(self):
        assert "ended" in self.run_bridge("end")


@pytest.fixture(scope="session")
def linux(request):
    return pathlib.Path(request.config.getoption("--linux")).resolve()


@pytest.fixture(scope="session")
def chain(request):
    """Its files stay where a test failed, the prefix aside."""
    driver, command, bridge = (pathlib.Path(request.config.getoption(name)).resolve()
                               for name in ("--driver", "--command", "--bridge"))
    lab = Lab()
    try:
        made = Chain(lab, driver, command, bridge)
        with made.session.living():
            try:
                yield made
            finally:
                for process in reversed(lab.processes):
                    process.kill()
    finally:
        lab.close()
        if request.session.testsfailed:
            print(f"captures and logs: {lab.directory}")
        else:
            shutil.rmtree(lab.directory)


@pytest.fixture
def attached(request, chain):
    """The chain with an adapter, which is taken away at the end: without a breach. Its parameter: the ring's size."""
    chain.attach(getattr(request, "param", RING_RECORDS))
    yield chain
    chain.detach()
