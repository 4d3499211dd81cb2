# SPDX-License-Identifier: MIT
"""`--domain`: the exchanges of some domains, with everything that they are computed with."""
import pytest

from simulated import analyze, simulate

SETTINGS = {"duration": "10s", "seed": 2, "bridges": 1, "drift": "30", "observe": "client", "sync-interval": -3,
            "pdelay-interval": 0}


def told_of(exchanges, domain):
    """Without their numbers, by which nothing is known but the order in which they were decided."""
    return sorted(([one["kind"], one["sequenceId"], one["reason"], one["offsetFromMaster_ns"]]
                   for one in exchanges if one["domainNumber"] == domain), key=lambda one: one[:2])


@pytest.mark.parametrize("profile", ["gptp", "p2p", "e2e"])
def test_a_domain_alone(profile, ptpmon, tmp_path):
    """Its exchanges are computed as beside the others, with the one peer delay that there is of the link."""
    simulation = simulate(ptpmon, tmp_path / "domains", {**SETTINGS, "profile": profile, "domains": "0,20",
                                                         "domain-offset": "1s"})
    files = simulation.files("client")
    whole = analyze(ptpmon, *files).exchanges
    alone = analyze(ptpmon, *files, options=("--domain=20",)).exchanges
    assert told_of(alone, 20) == told_of(whole, 20)
    assert sum(one["kind"] == "sync" and one["reason"] == "computed" for one in alone) > 50
    others = {one["kind"] for one in alone if one["domainNumber"] != 20}
    assert others == {"gptp": {"p2p-as"}, "p2p": {"p2p"}, "e2e": set()}[profile]
