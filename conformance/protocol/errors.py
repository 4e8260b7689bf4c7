"""What can go wrong between the driver and an implementation.

The life of a session, and the error that belongs to each step::

    find the interpreter, start the adapter, hello   StartFailure
    send a request                                   InvalidRequest   the driver's own fault
    wait                                             AdapterCrash, AdapterTimeout
    read the answer                                  ProtocolFault    the adapter broke a rule of the protocol
    the answer is an error                           Refused          the implementation raised
                                                     Unsupported, AdapterFault, InvalidRequest

Only `Refused` is about the implementation's behaviour; all others are ProtocolError. After AdapterCrash,
AdapterTimeout and ProtocolFault the process is gone, and the next `reset` starts another.
"""

from __future__ import annotations

from collections.abc import Sequence

from conformance.protocol.results import Message


class Refused(Exception):
    """The implementation raised: `exception` is its type's name, `mro` the names of all its base classes."""

    def __init__(
        self, operation: str, exception: str, mro: Sequence[str], text: str, messages: Sequence[Message] = ()
    ) -> None:
        super().__init__(f"{operation} raised {exception}: {text}")
        self.operation = operation
        self.exception = exception
        self.mro = tuple(mro)
        self.text = text
        self.messages = tuple(messages)

    def is_a(self, name: str) -> bool:
        """Whether the exception is of the class of that name or derives from it."""
        return name == self.exception or name in self.mro


class ProtocolError(Exception):
    """Base of all errors that say nothing about the implementation's behaviour; `stderr` is its last lines."""

    def __init__(self, problem: str, stderr: Sequence[str] = ()) -> None:
        lines = "".join(f"\n  | {line}" for line in stderr)
        super().__init__(problem + (f"\nlast lines of its stderr:{lines}" if stderr else ""))
        self.problem = problem
        self.stderr = tuple(stderr)


class StartFailure(ProtocolError):
    """An adapter that could not be started, or did not introduce itself properly."""


class AdapterCrash(ProtocolError):
    """The adapter's process ended, or was ended for passing its memory limit, before it answered."""


class AdapterTimeout(ProtocolError):
    """No answer within the time limit; the process was killed."""


class ProtocolFault(ProtocolError):
    """An answer that breaks a rule of the protocol; the process was killed."""


class AdapterFault(ProtocolError):
    """The adapter answered that it is itself at fault (kind internal)."""


class Unsupported(ProtocolError):
    """The adapter has no such operation, or its library no such feature."""


class InvalidRequest(ProtocolError):
    """A request that is wrong in itself: params that break the schema, a handle that names nothing."""
