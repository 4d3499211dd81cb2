# SPDX-License-Identifier: MIT
"""What really passed: one tcpdump per direction writes it, tshark reads it. Neither knows ptpmon."""
import collections
import os
import re
import signal
import time

from lab import run, state_of, wait_until

# How a frame is told from others; named as in ptpmon's JSON. vlanId and pcp are None without a tag.
Identity = collections.namedtuple(
    "Identity", "messageType sequenceId domainNumber sourcePortIdentity sdoId versionPTP minorVersionPTP flagField "
                "sourceMac vlanId pcp more_tags transport")

# A frame in the capture of its direction.
Captured = collections.namedtuple("Captured", "identity time_ns")

_FIELDS = ["frame.interface_id", "frame.time_epoch", "frame.protocols", "eth.src",
           "vlan.id", "vlan.priority", "ieee8021ad.id", "ieee8021ad.priority",
           "ptp.v2.messagetype", "ptp.v2.sequenceid", "ptp.v2.domainnumber", "ptp.v2.clockidentity",
           "ptp.v2.sourceportid", "ptp.v2.majorsdoid", "ptp.v2.minorsdoid", "ptp.v2.versionptp",
           "ptp.v2.minorversionptp", "ptp.v2.flags"]

_TAGS = ("vlan", "ieee8021ad")


class Tcpdump:
    """Writes every frame of one direction. It takes no filter: what counts as PTP is for tshark to say."""

    def __init__(self, lab, end, direction, buffer_kib):
        self.path = lab.directory / f"{end.namespace}-{direction}-{len(lab.processes)}.pcap"
        self.process = lab.start(f"tcpdump-{direction}", [
            "tcpdump", "-i", end.interface, "-Q", {"rx": "in", "tx": "out"}[direction], "-n", "-U", "-Z", "root",
            "-s", "256", "-B", str(buffer_kib), "--time-stamp-precision=nano", "--immediate-mode", "-w", self.path],
            end)

    def wait_ready(self):
        self.process.wait_for("listening on")

    def stop(self):
        """Returns how many frames it wrote."""
        wait_until(lambda: state_of(self.process.pid) == "S", "tcpdump has read all it was given, and sleeps")
        assert self.process.stop(signal.SIGINT) == 0, self.process.stderr
        report = self.process.stderr
        assert re.search(r"^0 packets dropped by kernel", report, re.MULTILINE), report
        return int(re.search(r"^(\d+) packets? captured", report, re.MULTILINE)[1])


class Truth:
    """Both directions of one end of a link."""

    def __init__(self, lab, end, buffer_kib=4096):
        self.dumps = {direction: Tcpdump(lab, end, direction, buffer_kib) for direction in ("rx", "tx")}
        self.frames = None  # by direction, in order; read_all() fills it

    def wait_ready(self):
        for dump in self.dumps.values():
            dump.wait_ready()

    def stop(self):
        """Returns the number of frames of any kind, by direction."""
        return {direction: dump.stop() for direction, dump in self.dumps.items()}


def settle():
    """Lets what has been sent pass the receiving side."""
    time.sleep(0.3)


def read_all(lab, truths):
    """Lets tshark read the captures of all these at once."""
    dumps = [(truth, direction) for truth in truths for direction in ("rx", "tx")]
    merged = lab.directory / f"merged-{len(lab.processes)}.pcapng"
    run("mergecap", "-a", "-I", "none", "-w", merged,
        *[truth.dumps[direction].path for truth, direction in dumps])
    # An ICMP error may quote a PTP message; it is none itself.
    command = ["tshark", "-n", "-r", merged, "-Y", "ptp.v2.messagetype and not icmp and not icmpv6", "-T", "fields",
               "-E", "separator=|", "-E", "occurrence=a", "-E", "aggregator=,"]
    for field in _FIELDS:
        command += ["-e", field]
    lines = run(*command, env={**os.environ, "HOME": str(lab.directory)}).stdout.splitlines()

    for truth in truths:
        truth.frames = {"rx": [], "tx": []}
    for line in lines:
        row = dict(zip(_FIELDS, line.split("|"), strict=True))
        truth, direction = dumps[int(row["frame.interface_id"])]
        truth.frames[direction].append(Captured(_identity(row), _nanoseconds(row["frame.time_epoch"])))


def _nanoseconds(epoch):
    seconds, _, fraction = epoch.partition(".")
    assert len(fraction) == 9, f"{epoch}: not in nanoseconds"
    return int(seconds) * 10**9 + int(fraction)


def _identity(row):
    protocols = row["frame.protocols"].split(":")
    tags = [protocol for protocol in protocols if protocol in _TAGS]
    vlan_id = pcp = None
    if tags:
        vlan_id = int(row[f"{tags[0]}.id"].split(",")[0], 0)
        pcp = int(row[f"{tags[0]}.priority"].split(",")[0], 0)
    clock = f"{int(row['ptp.v2.clockidentity'], 16):016x}"
    transport = "udp_ipv4" if "ip" in protocols else "udp_ipv6" if "ipv6" in protocols else "ethernet"
    return Identity(
        messageType=int(row["ptp.v2.messagetype"], 0), sequenceId=int(row["ptp.v2.sequenceid"], 0),
        domainNumber=int(row["ptp.v2.domainnumber"], 0),
        sourcePortIdentity=f"{clock[:6]}.{clock[6:10]}.{clock[10:]}-{int(row['ptp.v2.sourceportid'], 0)}",
        sdoId=int(row["ptp.v2.majorsdoid"], 0) << 8 | int(row["ptp.v2.minorsdoid"], 0),
        versionPTP=int(row["ptp.v2.versionptp"], 0), minorVersionPTP=int(row["ptp.v2.minorversionptp"], 0),
        flagField=int(row["ptp.v2.flags"], 0), sourceMac=row["eth.src"], vlanId=vlan_id, pcp=pcp,
        more_tags=len(tags) > 1, transport=transport)
