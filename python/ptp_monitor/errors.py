# SPDX-License-Identifier: MIT
"""What can go wrong, as exceptions. Their text names the object and the remedy."""
from typing import Dict, Type


class PtpMonitorError(Exception):
    """A failure of the library.

    status: its name, "no_interface", "no_permission", ...
    message: one sentence for people, which is also the text of the exception.
    """

    status: str = ""

    def __init__(self, message: str, status: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.status = status or type(self).status


class InterfaceNotFound(PtpMonitorError):
    """No such interface, or it vanished."""

    status = "no_interface"


class PermissionDenied(PtpMonitorError, PermissionError):
    """A capability or administrator right is missing."""

    status = "no_permission"


class NotSupported(PtpMonitorError):
    """The kernel, the driver or the card lacks it."""

    status = "not_supported"


class OutOfMemory(PtpMonitorError, MemoryError):
    """There is no memory for it."""

    status = "no_memory"


class Busy(PtpMonitorError):
    """Somebody else holds it."""

    status = "busy"


class InvalidUse(PtpMonitorError, ValueError):
    """An argument, or the object's state, does not allow this call."""

    status = "invalid"


class BadFile(PtpMonitorError):
    """A file is damaged, does not belong to the events, or is of a kind or version that cannot be read."""

    status = "bad_file"


class SystemFailure(PtpMonitorError, OSError):
    """The operating system refused; the message says what and why."""

    status = "io"


class LibraryNotFound(PtpMonitorError, OSError):
    """libptpmon is not installed where it is looked for, or is of another version."""

    status = "library"


_BY_STATUS: Dict[str, Type[PtpMonitorError]] = {
    kind.status: kind
    for kind in (InterfaceNotFound, PermissionDenied, NotSupported, OutOfMemory, Busy, InvalidUse, BadFile, SystemFailure)
}


def error_of(status: str, message: str) -> PtpMonitorError:
    """The exception for a status of the library, by its name."""
    return _BY_STATUS.get(status, PtpMonitorError)(message, status)
