# SPDX-License-Identifier: MIT
"""Starts ptp4l so that it can do no harm: it never adjusts a clock, and its management socket is its own."""
import signal

# Short intervals: the protocol is the profile's, only the waiting is not.
FAST = {"logAnnounceInterval": -2, "logSyncInterval": -3, "logMinDelayReqInterval": -3, "logMinPdelayReqInterval": -3}

PROFILES = {
    "udp_ipv4": {"network_transport": "UDPv4", "delay_mechanism": "E2E"},
    "udp_ipv6": {"network_transport": "UDPv6", "delay_mechanism": "E2E"},
    "l2": {"network_transport": "L2", "delay_mechanism": "E2E"},
    # neighborPropDelayThresh: 800 ns, as the profile has it, is far below what software stamps give on a veth.
    "gptp": {"network_transport": "L2", "delay_mechanism": "P2P", "transportSpecific": "0x1", "gmCapable": 1,
             "assume_two_step": 1, "path_trace_enabled": 1, "follow_up_info": 1, "ptp_dst_mac": "01:80:C2:00:00:0E",
             "p2p_dst_mac": "01:80:C2:00:00:0E", "neighborPropDelayThresh": 20000000},
}


class Ptp4l:
    """One ptp4l with one port, with software stamps."""

    def __init__(self, lab, end, profile, **settings):
        number = len(lab.processes)
        config = lab.directory / f"ptp4l-{number}.cfg"
        values = {**PROFILES[profile], **FAST, "time_stamping": "software", "tx_timestamp_timeout": 100, **settings,
                  "free_running": 1, "uds_address": lab.directory / f"ptp4l-{number}.uds"}
        config.write_text("[global]\n" + "".join(f"{name} {value}\n" for name, value in values.items()))
        self.process = lab.start("ptp4l", ["ptp4l", "-m", "-f", config, "-i", end.interface], end)
        assert_harmless(self.process.argv)

    def wait_for(self, text, count=1):
        self.process.wait_for(text, "stdout", count)

    def stop(self):
        self.process.stop(signal.SIGTERM)


def grandmaster(lab, end, profile, **settings):
    return Ptp4l(lab, end, profile, priority1=100, **settings)


def client(lab, end, profile, **settings):
    only = {} if profile == "gptp" else {"slaveOnly": 1}
    return Ptp4l(lab, end, profile, priority1=200, **only, **settings)


def wait_synchronizing(ptp4l):
    """Until this client follows a master. A free running clock never locks: the port stays UNCALIBRATED."""
    ptp4l.wait_for("to UNCALIBRATED on RS_SLAVE")


def settings_of(argv, root=""):
    """What a ptp4l with this command line is configured to: its file's lines, then its long options."""
    values = {}
    for position, word in enumerate(argv):
        if word == "-f":
            with open(f"{root}{argv[position + 1]}", encoding="ascii") as config:
                for line in config:
                    name, _, value = line.partition("#")[0].strip().partition(" ")
                    values[name] = value.strip()
        elif word.startswith("--"):
            name, _, value = word[2:].partition("=")
            values[name] = value or argv[position + 1]
    return values


def assert_harmless(argv, root=""):
    """No clock is adjusted, and no other ptp4l's socket is taken. root: where that ptp4l's "/" is to be found."""
    values = settings_of(argv, root)
    assert values.get("free_running") == "1", f"{argv}: {values}"
    uds = values.get("uds_address", "/var/run/ptp4l")
    assert uds.startswith("/") and uds not in ("/var/run/ptp4l", "/run/ptp4l"), f"{argv}: {values}"
