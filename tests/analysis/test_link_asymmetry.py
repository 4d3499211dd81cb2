# SPDX-License-Identifier: MIT
"""
Delay floors of links, by their peer delay: what the simulator gave each direction is told where something tells it,
with the sign of the end that looks, and nothing is told where nothing does.
"""
import pytest

from analyzed import run
from simulated import simulate

PROFILES = {"gptp": "p2p-as", "p2p": "p2p"}
BASE = {"duration": "60s", "link-delay": "800ns", "truth": "faults"}


class Links:
    """A simulated network, and what is told of the links of its ports."""

    def __init__(self, ptpmon, base, profile, faults=(), **settings):
        self.ptpmon, self.profile = ptpmon, profile
        self.simulation = simulate(ptpmon, base, {**BASE, "profile": profile, **settings}, faults)
        self.ports = {port["name"]: port["portIdentity"] for node in self.simulation.lines[0]["nodes"]
                      for port in node["ports"]}

    def told(self, *ports, options=()):
        """(asymmetries by point, findings by point); points are the ports in this order."""
        files = [file for port in ports for file in self.simulation.files(port)]
        objects = run(self.ptpmon, "analyze", "--json", *options, *files)
        asymmetries = [one for one in objects if one["type"] == "asymmetry"]
        assert [one["kind"] for one in asymmetries] == len(ports) * [PROFILES[self.profile]]
        for port, one in zip(ports, asymmetries):
            assert one["requestingPortIdentity"] == self.ports[port]
        return asymmetries, [one for one in objects if one["type"] == "finding"]


@pytest.fixture
def links(ptpmon, tmp_path):
    return lambda profile, *faults, **settings: Links(ptpmon, tmp_path / "net", profile, faults, **settings)


def assert_not_observable(one):
    assert (one["method"], one["delayAsymmetry"], one["bound"]) == ("not_observable", None, None)


def assert_told(one, method, asymmetry, at_most):
    """at_most: no bound is wider."""
    assert one["method"] == method
    assert abs(one["delayAsymmetry"] - asymmetry) <= one["bound"] <= at_most


@pytest.mark.parametrize("asymmetry", [-150, 0, 40])
@pytest.mark.parametrize("profile", PROFILES)
def test_true_offset(profile, asymmetry, links):
    """It is the offset from the master, and tells of the link to it; to the master the client is nobody."""
    network = links(profile, offset="1us", asymmetry=f"{asymmetry}ns", seed=abs(asymmetry) + 1)
    (told,), findings = network.told("client", options=["--true-offset=1000"])
    assert_told(told, "by_reference", asymmetry, 4)
    assert told["sourcePortIdentity"] == network.ports["gm"] and not findings
    assert told["forward_floor"] - told["reverse_floor"] == pytest.approx(2 * (1000 + asymmetry), abs=4)
    assert told["forward_floor"] + told["reverse_floor"] == pytest.approx(1600, abs=4)
    (hidden,), _ = network.told("client")
    assert_not_observable(hidden)
    (of_master,), _ = network.told("gm", options=["--true-offset=1000"])
    assert_not_observable(of_master)
    assert of_master["forward_floor"] == pytest.approx(told["reverse_floor"], abs=4)


@pytest.mark.parametrize("profile", PROFILES)
def test_true_offset_behind_a_bridge(profile, links):
    """The neighbour's clock is another: how far off that is nobody says."""
    network = links(profile, bridges=1, offset="1us", asymmetry="100ns,30ns")
    (told,), _ = network.told("client", options=["--true-offset=1000"])
    assert_not_observable(told)


@pytest.mark.parametrize("asymmetry", [-150, 0, 40])
@pytest.mark.parametrize("profile", PROFILES)
def test_both_ends_by_one_clock(profile, asymmetry, links):
    """Each end asks the other: what is forward for one is reverse for the other."""
    network = links(profile, asymmetry=f"{asymmetry}ns", seed=abs(asymmetry) + 1)
    (master, client), _ = network.told("gm", "client", options=["--same-clock"])
    assert_told(client, "by_reference", asymmetry, 4)
    assert_told(master, "by_reference", -asymmetry, 4)
    for one in network.told("gm", "client")[0]:
        assert_not_observable(one)


@pytest.mark.parametrize("direction", ["forward", "reverse"])
@pytest.mark.parametrize("size", [300, -400])
@pytest.mark.parametrize("profile", PROFILES)
def test_path_change(profile, size, direction, links):
    """Away from the master is forward to who asks below, and reverse to who asks above."""
    network = links(profile, f"path_change:at=60s,link=2,direction={direction},size={size}ns", bridges=1, drift="7.3",
                    jitter="20ms", **{"bridge-drift": "-11.7", "duration": "120s", "granularity": "8ns"})
    below, above, other = (network.told(port) for port in ("client", "bridge1-down", "bridge1-up"))
    for (asymmetries, findings), up in ((below, "forward"), (above, "reverse")):
        found, = findings
        assert found["kind"] == ("forward_delay_change" if direction == up else "reverse_delay_change")
        assert abs(found["size_ns"] - size) <= found["bound_ns"] < 200
        sign = 1 if direction == up else -1
        assert_told(asymmetries[0], "by_change", sign * size / 2, 100)
        assert found["sourcePortIdentity"] == asymmetries[0]["sourcePortIdentity"]
    assert not other[1]
    assert_not_observable(other[0][0])


@pytest.mark.parametrize("seed", range(1, 7))
@pytest.mark.parametrize("profile", PROFILES)
def test_nothing_is_invented(profile, seed, links):
    """Queues in both directions, stamps that err, clocks that drift, wander, are set: no link became another."""
    network = links(profile, "phc_step:at=80s,size=5us", f"loss:p=0.0{seed}", bridges=1, seed=seed, drift="30",
                    **{"bridge-drift": "-20", "duration": "200s", "granularity": "8ns", "queue": "exponential",
                       "wander": "0.01", "queue-time": "200ns", "load": "0.5", "stamp-error": "5ns"})
    for port in ("gm", "bridge1-up", "bridge1-down", "client"):
        (told,), findings = network.told(port)
        assert_not_observable(told)
        assert not [one for one in findings if one["kind"].endswith("_delay_change")]


@pytest.mark.parametrize("how", [{"step": "one"}, {"turnaround-in": "correction"}])
def test_turnarounds_without_times(how, links):
    """A delay follows from the whole turnaround; its directions do not."""
    network = links("p2p", observe="client", **how)
    objects = run(network.ptpmon, "analyze", "--json", *network.simulation.files("client"))
    delay, = [one for one in objects if one["type"] == "series" and one["quantity"] == "meanLinkDelay"]
    assert delay["count"] > 50
    assert not [one for one in objects if one["type"] == "asymmetry"]
