# SPDX-License-Identifier: MIT
"""What monitors and recordings have in common."""
from typing import Any, Iterator, Optional

from .correlation import Correlation
from .event import PtpTimestampEvent, Record


class EventSource:
    """Gives records, events, and their correlation with captured frames."""

    def read_records(self, timeout: Optional[float] = None) -> Iterator[Record]:
        """Yields events, readings of the clocks (ClocksReading) and losses (Loss), in the order in which they came."""
        raise NotImplementedError

    def read_events(self, timeout: Optional[float] = None) -> Iterator[PtpTimestampEvent]:
        """Yields the events: one per frame, late TX stamps joined. read_records() gives the rest, too.

        A TX event whose sender asked for a stamp comes when the stamp does, at most one second later.

        timeout: seconds; None = until the monitor is disabled and drained, or the recording ends. What came until then
        is yielded in any case; what is not taken comes with the next call.
        """
        return self._events_of(self.read_records(timeout))

    def _events_of(self, records: Iterator[Record]) -> Iterator[PtpTimestampEvent]:
        """A method, so that this object lives as long as the iteration."""
        for record in records:
            if isinstance(record, PtpTimestampEvent):
                yield record

    def correlate_with_npcap(self, npcap_capture: Any, *, timeout: Optional[float] = None, window: float = 1.0,
                             max_offset: float = 60.0, other_clock: bool = False) -> Correlation:
        """Yields CorrelatedEvent: each event with its captured frame, and what has no counterpart with the reason."""
        raise NotImplementedError
