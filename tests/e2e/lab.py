# SPDX-License-Identifier: MIT
"""Network namespaces, links and processes of a scenario. Whatever a Lab made, Lab.close() takes away."""
import concurrent.futures
import contextlib
import ctypes
import fcntl
import json
import os
import pathlib
import re
import signal
import socket
import struct
import subprocess
import tempfile
import time

NAMESPACE_PREFIX = "ptpmon-e2e"
PATIENCE = 30  # seconds until a wait gives up; nothing depends on how long things really take

_libc = ctypes.CDLL(None, use_errno=True)
_PR_SET_PDEATHSIG = 1
_CLONE_NEWNET = 0x40000000
_SO_RCVBUFFORCE = 33
_TUNSETIFF = 0x400454CA
_IFF_TAP = 0x0002
_IFF_NO_PI = 0x1000
_IFF_MULTI_QUEUE = 0x0100


def run(*command, check=True, **options):
    """Runs a command to its end; fails with its output."""
    result = subprocess.run([str(word) for word in command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True, timeout=PATIENCE, **options)
    if check:
        assert result.returncode == 0, f"{command}: exit code {result.returncode}\n{result.stdout}{result.stderr}"
    return result


def wait_until(condition, what, patience=PATIENCE):
    """Polls until condition() is true, and returns what it returned."""
    end = time.monotonic() + patience
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < end, f"waited {patience} s in vain: {what}"
        time.sleep(0.02)


def state_of(pid):
    """R: runs, S: sleeps, T: stopped, ... X: is no more."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return "X"


def is_alive(pid):
    return state_of(pid) not in "ZX"


def is_capturing(pid):
    """Whether it has a packet socket that gets every frame: what it captures with."""
    own = set()
    for descriptor in pathlib.Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # closed since it was listed
            own.add(os.readlink(descriptor))
    sockets = [line.split() for line in pathlib.Path(f"/proc/{pid}/net/packet").read_text().splitlines()[1:]]
    return any(protocol == "0003" and runs == "1" and f"socket:[{inode}]" in own
               for _, _, _, protocol, _, runs, _, _, inode in sockets)


def as_nobody(program, capabilities, *arguments):
    """The command line that runs the program as a user without any rights but these capabilities."""
    kept = ",".join(["-all", *(f"+{capability}" for capability in capabilities)])
    return ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", f"--inh-caps={kept}",
            f"--ambient-caps={kept}", program, *arguments]


def without_btf(*command):
    """The command line that runs a command as on a kernel without type information (BTF); only it sees it so."""
    hidden = 'mount --bind /dev/null /sys/kernel/btf/vmlinux && exec "$@"'
    return ["unshare", "--mount", "sh", "-c", hidden, "sh", *command]


def _die_with_parent():
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


class Process:
    """A running program; standard output and error go to files."""

    def __init__(self, name, argv, directory):
        self.name = name
        self.argv = [str(word) for word in argv]
        self.stdout_path = directory / f"{name}.out"
        self.stderr_path = directory / f"{name}.err"
        with open(self.stdout_path, "wb") as stdout, open(self.stderr_path, "wb") as stderr:
            self.popen = subprocess.Popen(self.argv, stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr,
                                          start_new_session=True, preexec_fn=_die_with_parent)

    @property
    def pid(self):
        return self.popen.pid

    @property
    def stdout(self):
        return self.stdout_path.read_text()

    @property
    def stderr(self):
        return self.stderr_path.read_text()

    def send_signal(self, number):
        os.kill(self.pid, number)

    def wait(self, patience=PATIENCE):
        try:
            return self.popen.wait(patience)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self.name} did not end within {patience} s\n{self.stderr[-2000:]}") from None

    def stop(self, number=signal.SIGINT):
        """Sends the signal and returns the exit code."""
        if self.popen.poll() is None:
            self.send_signal(number)
        return self.wait()

    def kill(self):
        if self.popen.poll() is None:
            self.send_signal(signal.SIGKILL)
        self.wait()

    def wait_for(self, text, stream="stderr", count=1):
        """Waits until the stream holds the text `count` times; the program's end before that is a failure."""
        def found():
            ended = self.popen.poll() is not None
            if getattr(self, stream).count(text) >= count:
                return True
            assert not ended, f"{self.name} ended with {self.popen.returncode} before {text!r}\n{self.stderr[-2000:]}"
            return False
        wait_until(found, f"{self.name}: {text!r} on {stream}")


class End:
    """One end of a link: a veth in a namespace of its own."""

    def __init__(self, namespace, interface):
        self.namespace = namespace
        self.interface = interface

    def ip(self, *words):
        return run("ip", "-n", self.namespace, *words).stdout

    def run(self, *command, **options):
        return run("ip", "netns", "exec", self.namespace, *command, **options)

    def is_up(self):
        # A TAP interface knows no state of its operation.
        return json.loads(self.ip("-j", "link", "show", self.interface))[0]["operstate"] in ("UP", "UNKNOWN")

    def counters(self):
        """The interface's own counters of frames: sent, received."""
        both = json.loads(self.ip("-j", "-s", "link", "show", self.interface))[0]["stats64"]
        return both["tx"]["packets"], both["rx"]["packets"]

    def call(self, function):
        """Calls the function in the namespace. What it opens stays there; the calling thread does not enter it."""
        with concurrent.futures.ThreadPoolExecutor(1) as thread:
            return thread.submit(self._enter_and_call, function).result()

    def _enter_and_call(self, function):
        with open(f"/run/netns/{self.namespace}", encoding="ascii") as namespace:
            if _libc.setns(namespace.fileno(), _CLONE_NEWNET) != 0:
                raise OSError(ctypes.get_errno(), f"setns: {self.namespace}")
        return function()

    def packet_socket(self, ethertype=0):
        """A raw socket on the interface. It receives the frames of this EtherType, 0 = none."""
        def open_socket():
            raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
            raw.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, 1 << 24)
            raw.bind((self.interface, ethertype))
            return raw
        return self.call(open_socket)


class Lab:
    """The things that one scenario needs, in a directory of its own."""

    def __init__(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="ptpmon-e2e-"))
        self.namespaces = []
        self.processes = []
        self.opened = []  # sockets and files
        self.links = 0
        _remove_stale_namespaces()

    def _namespace(self, suffix):
        name = f"{NAMESPACE_PREFIX}-{os.getpid()}-{self.links}{suffix}"
        run("ip", "netns", "add", name)
        self.namespaces.append(name)
        return name

    def _veth(self, first, second, queues=1):
        """Joins two ends by a veth pair that sends nothing unasked; they are not up yet."""
        width = ["numtxqueues", queues, "numrxqueues", queues]
        first.ip("link", "add", first.interface, *width, "type", "veth", "peer", "name", second.interface, *width,
                 "netns", second.namespace)
        for end in (first, second):
            end.run("sysctl", "-qw", f"net.ipv6.conf.{end.interface}.disable_ipv6=1")

    def _up(self, ends):
        for end in ends:
            end.ip("link", "set", end.interface, "up")
        for end in ends:
            wait_until(end.is_up, f"{end.namespace}: {end.interface} is up")

    def link(self, queues=1, ipv6=False):
        """Two namespaces with a veth pair between them, up."""
        self.links += 1
        ends = [End(self._namespace("a"), "mon0"), End(self._namespace("b"), "mon1")]
        self._veth(*ends, queues)
        for number, end in enumerate(ends, 1):
            end.ip("addr", "add", f"192.0.2.{number}/24", "dev", end.interface)
            if ipv6:
                end.ip("link", "set", end.interface, "addrgenmode", "none")
                end.run("sysctl", "-qw", f"net.ipv6.conf.{end.interface}.disable_ipv6=0")
                end.ip("addr", "add", f"fe80::{number}/64", "dev", end.interface, "nodad")
        self._up(ends)
        return ends

    def bridge(self):
        """Two ends with a bridge in a third namespace between them: first end, its port, the other port, other end."""
        self.links += 1
        switch = self._namespace("s")
        ends = [End(self._namespace("a"), "mon0"), End(switch, "port0"),
                End(switch, "port1"), End(self._namespace("b"), "mon1")]
        bridge = End(switch, "switch")
        bridge.ip("link", "add", "switch", "type", "bridge", "mcast_snooping", "0")
        bridge.run("sysctl", "-qw", "net.ipv6.conf.switch.disable_ipv6=1")
        self._veth(ends[0], ends[1])
        self._veth(ends[3], ends[2])
        for port in ends[1:3]:
            port.ip("link", "set", port.interface, "master", "switch")
        self._up([*ends, bridge])
        return ends

    def tap(self, queues):
        """A TAP interface, up, and a file per queue: a frame written to it is received on that queue."""
        self.links += 1
        end = End(self._namespace("t"), "tap0")
        request = struct.pack("16sH22x", end.interface.encode(), _IFF_TAP | _IFF_NO_PI | _IFF_MULTI_QUEUE)
        files = []

        def open_queue():
            file = open("/dev/net/tun", "r+b", buffering=0)
            files.append(file)
            fcntl.ioctl(file, _TUNSETIFF, request)

        for _ in range(queues):
            end.call(open_queue)
        self.opened += files
        end.run("sysctl", "-qw", f"net.ipv6.conf.{end.interface}.disable_ipv6=1")
        self._up([end])
        return end, files

    def start(self, name, argv, end=None):
        """Starts a program, in an end's namespace."""
        if end is not None:
            name = f"{name}-{end.namespace.rpartition('-')[2]}"
            argv = ["ip", "netns", "exec", end.namespace, *argv]
        taken = sum(re.sub(r"\.\d+$", "", process.name) == name for process in self.processes)
        process = Process(f"{name}.{taken}" if taken else name, argv, self.directory)
        self.processes.append(process)
        return process

    def packet_socket(self, end, ethertype=0):
        raw = end.packet_socket(ethertype)
        self.opened.append(raw)
        return raw

    def close(self):
        for process in reversed(self.processes):
            process.kill()
        for one in self.opened:
            one.close()
        for name in self.namespaces:
            run("ip", "netns", "del", name, check=False)


def _remove_stale_namespaces():
    """A run that was killed leaves its namespaces; their names tell whose they were."""
    for line in run("ip", "netns", "list").stdout.splitlines():
        owner = re.match(rf"{NAMESPACE_PREFIX}-(\d+)-", line)
        if owner and not is_alive(int(owner[1])):
            run("ip", "netns", "del", line.split()[0], check=False)
