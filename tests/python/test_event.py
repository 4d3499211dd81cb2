# SPDX-License-Identifier: MIT
"""Events as Python has them."""
import pickle

import pytest

from ptp_monitor import PtpTimestampEvent, errors
from ptp_monitor import _structures as c
from ptp_monitor.event import ClocksReading, Loss, event_at, records_in


def record(**fields):
    event = c.PTP_TIMESTAMP_EVENT(
        hw_timestamp_ns=1 << 60, system_timestamp=123456789, direction=c.DIRECTION_TX, messageType=1, sequenceId=65535,
        domainNumber=127, stamp=c.STAMP_METADATA | c.STAMP_VLAN | c.STAMP_EXPECTED, vlanId=4094, pcp=7, queueId=3,
        portNumber=2, sdoId=0x1AB, flags=0x0208, transport=c.TRANSPORT_UDP_IPV4, version=0x12,
        software_timestamp=1 << 61, sequence=77)
    event.sourceMac[:] = bytes.fromhex("0200e2e20001")
    event.clockIdentity[:] = bytes.fromhex("0200e2fffee20001")
    for name, value in fields.items():
        setattr(event, name, value)
    return event


def event(**fields):
    return event_at(bytes(record(**fields)))


def test_every_field_is_in_its_place():
    made = event()
    for name, _ in c.PTP_TIMESTAMP_EVENT._fields_:
        value = getattr(record(), name)
        assert getattr(made, name) == (value if isinstance(value, int) else bytes(value)), name
    assert made._fields == tuple(name for name, _ in c.PTP_TIMESTAMP_EVENT._fields_)


def test_readable():
    made = event()
    assert made.direction_name == "TX"
    assert made.messageType_name == "Delay_Req"
    assert made.sourcePortIdentity == "0200e2.fffe.e20001-2"
    assert made.sourceMac_text == "02:00:e2:e2:00:01"
    assert made.transport_name == "UDP/IPv4"
    assert (made.versionPTP, made.minorVersionPTP) == (2, 1)
    assert (made.majorSdoId, made.minorSdoId) == (1, 0xAB)
    assert (made.is_tagged, made.has_more_tags) == (True, False)
    assert (made.stamp_kind, made.stamp_expected, made.stamp_missing, made.is_late) == ("metadata", True, False, False)
    assert made.has_hw_timestamp and made.has_software_timestamp and made.queue_known
    assert repr(made) == ("<PtpTimestampEvent TX Delay_Req 65535 domain 127 from 0200e2.fffe.e20001-2 vlanId=4094 pcp=7 "
                          "system_timestamp=123456789 hw_timestamp_ns=1152921504606846976 "
                          "software_timestamp=2305843009213693952 queueId=3>")


def test_nothing_is_none():
    bare = event(hw_timestamp_ns=0, software_timestamp=0, queueId=255, stamp=c.STAMP_MISSING, messageType=5)
    assert (bare.hw_timestamp_ns, bare.software_timestamp) == (0, 0)
    assert not (bare.has_hw_timestamp or bare.has_software_timestamp or bare.queue_known or bare.is_tagged)
    assert bare.stamp_kind == "none" and bare.stamp_missing
    assert bare.messageType_name == "reserved"
    assert repr(bare).endswith("system_timestamp=123456789 stamp missing>")


def test_immutable_and_small():
    made = event()
    with pytest.raises(AttributeError):
        made.sequenceId = 1
    with pytest.raises(AttributeError):
        made.anything = 1
    assert made == event() and hash(made) == hash(event()) and made != event(sequenceId=1)
    assert pickle.loads(pickle.dumps(made)) == made


def test_records_are_told_apart():
    clocks = c.PTP_CLOCKS_RECORD(direction=c.DIRECTION_CLOCKS, hw_timestamp_ns=1, system_timestamp=2, realtime_ns=3,
                                 hw_uncertainty_ns=4, realtime_uncertainty_ns=5)
    loss = c.PTP_LOSS_RECORD(direction=c.DIRECTION_LOSS, system_timestamp=20, since=10, frames_dropped=6,
                             stamps_dropped=7)
    of_the_future = record(direction=17)
    data = b"".join(bytes(one) for one in (record(), clocks, of_the_future, loss))
    found = list(records_in(data, 4))
    assert [type(one) for one in found] == [PtpTimestampEvent, ClocksReading, Loss]
    assert found[1] == ClocksReading(hw_timestamp_ns=1, system_timestamp=2, realtime_ns=3, hw_uncertainty_ns=4,
                                     realtime_uncertainty_ns=5)
    assert found[2] == Loss(since=10, system_timestamp=20, frames_dropped=6, stamps_dropped=7, by_capture=False)


@pytest.mark.parametrize("status, kind, also", [
    ("no_interface", errors.InterfaceNotFound, Exception),
    ("no_permission", errors.PermissionDenied, PermissionError),
    ("not_supported", errors.NotSupported, Exception),
    ("no_memory", errors.OutOfMemory, MemoryError),
    ("busy", errors.Busy, Exception),
    ("invalid", errors.InvalidUse, ValueError),
    ("bad_file", errors.BadFile, Exception),
    ("io", errors.SystemFailure, OSError),
    ("of_the_future", errors.PtpMonitorError, Exception),
])
def test_errors(status, kind, also):
    error = errors.error_of(status, "eth7: no such thing; look elsewhere")
    assert type(error) is kind and isinstance(error, (errors.PtpMonitorError, also))
    assert (str(error), error.message, error.status) == ("eth7: no such thing; look elsewhere",) * 2 + (status,)
