# SPDX-License-Identifier: MIT
"""
The exchanges of a recording, computed a second time: from the bytes of its two files, with the standards' formulas, in
exact fractions of a ns, and nothing of the library. Short recordings only: everything is kept, and every message of a
key pairs with every other one in order of appearance.

IEEE 1588-2019 11.3 (end to end), 11.4 (peer delay), IEEE 802.1AS-2020 11.2.19 (peer delay).
"""
import collections
from fractions import Fraction

import wire
from wire import (DELAY_REQ, DELAY_RESP, FOLLOW_UP, PDELAY_REQ, PDELAY_RESP, PDELAY_RESP_FOLLOW_UP, RX, SYNC, TWO_STEP,
                  TX)

SCALE = 2**16  # of correctionField

HARDWARE, SOFTWARE = "hw_timestamp_ns", "software_timestamp"  # which stamps of a record are the local times

# One message where it was observed. stamp: ns, None = none.
Observed = collections.namedtuple("Observed", "message direction stamp event_time")

# Times in ns; None: not known. correction: what the formula adds up, ns.
Sync = collections.namedtuple("Sync", "message t1 t2 correction masterToSlave event_time")
EndToEnd = collections.namedtuple("EndToEnd", "message t3 t4 slaveToMaster event_time")
PeerDelay = collections.namedtuple("PeerDelay", "message t corrections asked two_step gptp event_time")


def _key(identity):
    """Of a record or a message, alike."""
    if isinstance(identity, wire.Record):
        return (identity.sdoId, identity.domainNumber, identity.messageType, identity.clockIdentity,
                identity.portNumber, identity.sequenceId)
    return (identity.sdoId, identity.domainNumber, identity.messageType, *identity.source, identity.sequenceId)


def events_of(path):
    """The records of frames, with the stamps that came later, in order of event time."""
    found, waiting = [], {}
    for record in wire.read_events(path):
        if record.direction not in (RX, TX):
            continue
        if record.stamp & wire.STAMP_LATE:
            index = waiting.pop(_key(record), None)
            if index is not None:
                stamps = {name: getattr(record, name) or getattr(found[index], name) for name in (HARDWARE, SOFTWARE)}
                found[index] = found[index]._replace(**stamps)
            continue
        if record.direction == TX:
            waiting[_key(record)] = len(found)
        found.append(record)
    return sorted(found, key=lambda event: event.system_timestamp)


def without_repeated(events):
    """The events, those without stamp whose NIC's stamp is that of a message of the same direction before it: a latch
    that was not read. How many those are."""
    seen, found, count = set(), [], 0
    for event in events:
        stamp = (event.direction, event.hw_timestamp_ns)
        repeated = event.hw_timestamp_ns != 0 and stamp in seen
        seen.add(stamp)
        count += repeated
        found.append(event._replace(hw_timestamp_ns=0) if repeated else event)
    return found, count


def observed(capture_path, events_path, stamps=HARDWARE):
    """Every message that is in both files, in order of event time; answers to several requesters share a key, and so
    does what was sent twice: the first event of a key belongs to its first frame."""
    frames = collections.defaultdict(collections.deque)
    for frame in wire.read_pcapng(capture_path):
        message = wire.parse(frame.data)
        if message is not None:
            frames[(frame.direction, _key(message))].append(message)
    found = []
    events, _ = without_repeated(events_of(events_path))
    for event in events:
        queue = frames[(event.direction, _key(event))]
        if queue:
            found.append(Observed(queue.popleft(), event.direction, getattr(event, stamps) or None,
                                  event.system_timestamp))
    return found


def _time(message):
    return message.seconds * 10**9 + message.nanoseconds


def _ns(correction):
    return Fraction(correction, SCALE)


def _first(observations, kind, direction=None):
    """(source, requesting, domainNumber, sdoId, sequenceId) -> the first message of this type."""
    found = {}
    for one in observations:
        if one.message.messageType == kind and direction in (None, one.direction):
            message = one.message
            found.setdefault((message.source, message.requesting, message.domainNumber, message.sdoId,
                              message.sequenceId), one)
    return found


def syncs(observations):
    """Those that were received and can be computed, in order of event time."""
    follow_ups = _first(observations, FOLLOW_UP, RX)
    found = []
    for key, one in _first(observations, SYNC, RX).items():
        correction, origin = _ns(one.message.correctionField), one.message
        if one.message.flagField & TWO_STEP:
            if key not in follow_ups:
                continue
            origin = follow_ups[key].message
            correction += _ns(origin.correctionField)
        if one.stamp is not None:
            found.append(Sync(one.message, _time(origin), one.stamp, correction,
                              one.stamp - _time(origin) - correction, one.event_time))
    return found


def end_to_end(observations):
    """Requests of this port that were answered, in order of event time; without the Sync that goes with them. A master
    copies the correctionField of Delay_Req, as it received it, into Delay_Resp (11.3.2): what it was here already is
    taken off again."""
    answers = collections.defaultdict(list)
    for (source, requesting, domain, sdo_id, number), one in _first(observations, DELAY_RESP, RX).items():
        answers[(requesting, domain, sdo_id, number)].append((source, one.message))
    found = []
    for (source, _, domain, sdo_id, number), request in _first(observations, DELAY_REQ, TX).items():
        for _, answer in answers[(source, domain, sdo_id, number)]:
            if request.stamp is not None:
                corrected = _time(answer) - _ns(answer.correctionField - request.message.correctionField)
                found.append(EndToEnd(answer, request.stamp, _time(answer), corrected - request.stamp,
                                      request.event_time))
    return found


def peer_delays(observations):
    """Requests of this port that were answered by one other, whole, in order of event time."""
    responses, follow_ups = collections.defaultdict(list), _first(observations, PDELAY_RESP_FOLLOW_UP, RX)
    for key, one in _first(observations, PDELAY_RESP, RX).items():
        responses[key[1:]].append((key, one))
    found = []
    for (source, _, *rest), request in _first(observations, PDELAY_REQ, TX).items():
        answered = responses[(source, *rest)]
        if len(answered) != 1 or request.stamp is None or answered[0][1].stamp is None:
            continue
        key, response = answered[0]
        two_step = bool(response.message.flagField & TWO_STEP)
        if two_step and key not in follow_ups:
            continue
        corrections = [_ns(response.message.correctionField)]
        t2 = t3 = None
        if two_step:
            t2, t3 = _time(response.message) or None, _time(follow_ups[key].message) or None  # 0: not given
            corrections.append(_ns(follow_ups[key].message.correctionField))
        found.append(PeerDelay(response.message, (request.stamp, t2, t3, response.stamp), corrections,
                               _ns(request.message.correctionField), two_step, response.message.sdoId >> 8 == 1,
                               request.event_time))
    return found


def turnaround(exchange):
    """
    By the messages alone, ns of the responder's clock. IEEE 1588 leaves it to the responder to put it into a
    correctionField, and be it all of it, with both times 0; what was in Pdelay_Req already is in there, too, and is
    taken off again.
    """
    if not exchange.two_step:
        return exchange.corrections[0] - exchange.asked
    _, t2, t3, _ = exchange.t
    response, follow_up = exchange.corrections
    both = follow_up - response if exchange.gptp else follow_up + response - exchange.asked
    return (t3 or 0) - (t2 or 0) + both


def link_delay(exchange, neighbor_rate_ratio=Fraction(1)):
    """meanLinkDelay in ns of the local clock. The ratio is the neighbor's clock over the local one."""
    t1, _, _, t4 = exchange.t
    return (t4 - t1 - turnaround(exchange) / neighbor_rate_ratio) / 2
