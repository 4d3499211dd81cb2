# SPDX-License-Identifier: MIT
"""`ptpmon list` tells the interfaces of its namespace, what each can stamp, and which to name."""
import pytest

from lab import as_nobody
from monitor import parse_lines


@pytest.fixture(scope="module")
def switch(lab):
    """A namespace with a bridge of two ports, one of them down."""
    port = lab.bridge()[1]
    port.ip("link", "set", "port1", "down")
    return port


@pytest.fixture(scope="module")
def listed(switch, reachable_ptpmon):
    """By name; asked for without any rights."""
    result = switch.run(*as_nobody(reachable_ptpmon, [], "list", "--json"))
    assert result.stderr == ""
    objects = parse_lines(result.stdout)
    assert {one["type"] for one in objects} == {"interface"}
    return {one["interface"]: one for one in objects}


def test_all_are_listed(listed):
    assert set(listed) == {"lo", "switch", "port0", "port1"}
    assert {name: one["kind"] for name, one in listed.items()} == \
        {"lo": "loopback", "switch": "bridge", "port0": "veth", "port1": "veth"}


def test_state_and_address(listed, switch):
    assert (listed["port0"]["up"], listed["port1"]["up"]) == (True, False)
    for name in ("port0", "port1"):
        assert listed[name]["mac"] in switch.ip("link", "show", name)


def test_a_bridge_names_its_ports(listed):
    assert listed["switch"]["prefer_lower"] and not listed["port0"]["prefer_lower"]
    assert set(listed["switch"]["lower"].split(", ")) == {"port0", "port1"}


def test_what_a_veth_can_stamp(listed):
    """In software only, and there is no clock in it."""
    for stamps in ("rx_stamps", "tx_stamps"):
        assert listed["port0"][stamps] == {"software": True, "hardware": False, "hardware_enabled": False}
    assert listed["port0"]["phc_index"] is None


def test_for_people(switch, ptpmon):
    table = switch.run(ptpmon, "list").stdout
    for name in ("switch", "port0", "port1"):
        assert name in table
