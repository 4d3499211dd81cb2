# SPDX-License-Identifier: MIT
"""
Real ptp4l in the usual profiles, on one link each, all at once: every frame that passes has its
event, at both ends, in order, joined with its captured frame; and TX stamps are what they claim.
"""
import collections
import time

import pytest

from compare import assert_complete, in_streams
from ptp4l import client, grandmaster, wait_synchronizing
from watched import Watched, stop_all

SYNC, DELAY_REQ, PDELAY_REQ, PDELAY_RESP = 0x0, 0x1, 0x2, 0x3
FOLLOW_UP, DELAY_RESP, PDELAY_RESP_FOLLOW_UP, ANNOUNCE = 0x8, 0x9, 0xA, 0xB
EVENT_MESSAGES = {SYNC, DELAY_REQ, PDELAY_REQ, PDELAY_RESP}

FROM_MASTER = {SYNC, FOLLOW_UP, ANNOUNCE}
E2E_FROM_MASTER = FROM_MASTER | {DELAY_RESP}
E2E_FROM_CLIENT = {DELAY_REQ}
PEERS = {PDELAY_REQ, PDELAY_RESP, PDELAY_RESP_FOLLOW_UP}

# Seconds in which a client exchanges messages with its master; at least some of each.
EXCHANGE = 1.5

Profile = collections.namedtuple("Profile", "name domains from_master from_client")
PROFILES = [
    Profile("udp_ipv4", [0], E2E_FROM_MASTER, E2E_FROM_CLIENT),
    Profile("udp_ipv6", [0], E2E_FROM_MASTER, E2E_FROM_CLIENT),
    Profile("gptp", [0], FROM_MASTER | PEERS, PEERS),
    Profile("l2", [0, 24], E2E_FROM_MASTER, E2E_FROM_CLIENT),
]
RESTARTED = "l2"


class Network:
    """One link with a grandmaster at the first end and a client at the second, per domain."""

    def __init__(self, lab, ptpmon, profile):
        self.lab = lab
        self.profile = profile
        self.ends = lab.link(ipv6=profile.name == "udp_ipv6")
        self.watched = Watched(lab, ptpmon, self.ends)
        self.masters = []
        self.clients = []

    def start(self):
        for domain in self.profile.domains:
            self.masters.append(grandmaster(self.lab, self.ends[0], self.profile.name, domainNumber=domain))
            self.clients.append(client(self.lab, self.ends[1], self.profile.name, domainNumber=domain))

    def wait_synchronizing(self):
        for ptp4l in self.clients:
            wait_synchronizing(ptp4l)

    def restart_grandmasters(self):
        for number, domain in enumerate(self.profile.domains):
            self.masters[number].stop()
            self.masters[number] = grandmaster(self.lab, self.ends[0], self.profile.name, domainNumber=domain)
        for ptp4l in self.masters:
            ptp4l.wait_for("to MASTER on")

    def stop(self):
        for ptp4l in [*self.clients, *self.masters]:
            ptp4l.stop()


@pytest.fixture(scope="module")
def observed(lab, ptpmon):
    """By profile: what was seen at the grandmaster's end and at the client's."""
    networks = [Network(lab, ptpmon, profile) for profile in PROFILES]
    for network in networks:
        network.watched.wait_ready()
    for network in networks:
        network.start()
    for network in networks:
        network.wait_synchronizing()
    time.sleep(EXCHANGE)
    for network in networks:
        if network.profile.name == RESTARTED:
            network.restart_grandmasters()
    time.sleep(EXCHANGE)
    for network in networks:
        network.stop()
    results = stop_all(lab, [network.watched for network in networks])
    return {network.profile.name: result for network, result in zip(networks, results)}


def types_seen(recording, direction, domain):
    return {line["messageType"] for line in recording.events(direction) if line["domainNumber"] == domain}


@pytest.fixture(params=PROFILES, ids=lambda profile: profile.name)
def profile(request):
    return request.param


@pytest.fixture(params=[0, 1], ids=["grandmaster", "client"])
def side(request):
    return request.param


def test_every_frame_has_its_event(observed, profile, side):
    end = observed[profile.name][side]
    assert len(end.truth.frames["rx"]) > 10 and len(end.truth.frames["tx"]) > 10
    assert_complete(end.recording, end.truth)


def test_all_messages_of_the_profile_pass_in_both_directions(observed, profile):
    at_master, at_client = [end.recording for end in observed[profile.name]]
    for domain in profile.domains:
        assert types_seen(at_master, "tx", domain) >= profile.from_master
        assert types_seen(at_client, "rx", domain) >= profile.from_master
        assert types_seen(at_client, "tx", domain) >= profile.from_client
        assert types_seen(at_master, "rx", domain) >= profile.from_client


def test_what_one_end_sent_the_other_received(observed, profile):
    master, client_end = observed[profile.name]
    for sender, receiver in ((master, client_end), (client_end, master)):
        sent, received = ([frame.identity for frame in end.truth.frames[direction]]
                          for end, direction in ((sender, "tx"), (receiver, "rx")))
        assert in_streams(sent, lambda identity: identity) == in_streams(received, lambda identity: identity)


def test_gptp_is_told_by_its_sdo_id(observed):
    for end in observed["gptp"]:
        assert {line["sdoId"] for line in end.recording.lines} == {0x100}


def test_two_domains_at_once(observed):
    for end in observed["l2"]:
        for direction in ("rx", "tx"):
            domains = {line["domainNumber"] for line in end.recording.events(direction)}
            assert domains == {0, 24}


def test_grandmaster_restart(observed):
    """The restarted grandmaster counts its Syncs from the start again."""
    sent = [line["sequenceId"] for line in observed[RESTARTED][0].recording.events("tx")
            if line["messageType"] == SYNC and line["domainNumber"] == 0]
    restarts = [number for number in range(1, len(sent)) if sent[number] < sent[number - 1]]
    assert len(restarts) == 1 and sent[restarts[0]] == sent[0], sent


def test_tx_stamps(observed, profile, side):
    """
    ptp4l asks for the stamps of event messages, and of no others. Each comes, and lies between the
    driver side's look at the frame and a moment later, on the clock that it claims.
    """
    recording = observed[profile.name][side].recording
    if not recording.traced:
        assert all(line["software_timestamp_ns"] is None for line in recording.events("tx"))
        pytest.skip("this kernel allows no tracing: there are no TX stamps to be had")
    for line in recording.events("tx"):
        assert not line["stamp_missing"], line
        assert (line["software_timestamp_ns"] is not None) == (line["messageType"] in EVENT_MESSAGES), line
        if line["software_timestamp_ns"] is not None:
            # time_ns is system_timestamp_ns on the clock of the stamp, as the CLOCKS records relate the two.
            assert -1_000_000 < line["software_timestamp_ns"] - line["time_ns"] < 100_000_000, line
    stamped = sum(line["software_timestamp_ns"] is not None for line in recording.events("tx"))
    statistics = recording.statistics
    assert statistics["stamps_seen"] == statistics["stamps_joined"] == stamped > 0, statistics
    for name in ("stamps_missing", "stamps_orphaned", "stamps_ambiguous", "stamps_dropped"):
        assert statistics[name] == 0, statistics


def test_no_stamp_is_given_twice(observed, profile, side):
    recording = observed[profile.name][side].recording
    stamps = collections.Counter(line["software_timestamp_ns"] for line in recording.events()
                                 if line["software_timestamp_ns"] is not None)
    assert max(stamps.values()) == 1


def test_no_hardware_stamp_is_invented(observed, profile, side):
    for line in observed[profile.name][side].recording.events():
        assert line["hw_timestamp_ns"] is None and line["hw_timestamp_kind"] is None, line
