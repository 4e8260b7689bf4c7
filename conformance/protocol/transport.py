"""What carries a request to an adapter and its answer back: a process under supervision, or a call in this one.

A transport deals in single messages and knows nothing of operations; what the messages say is the session's affair.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from conformance.protocol.errors import AdapterCrash, ProtocolFault
from conformance.protocol.process import AdapterProcess

SHOWN = 200  # characters of a bad line that an error quotes


@dataclass(frozen=True)
class Limits:
    """What an adapter may take: seconds to start and to answer `hello`, seconds for any other request, memory of its
    process and that process's children together, bytes of one answer."""

    start: float = 180.0
    request: float = 120.0
    memory_gb: float = 8.0
    answer: int = 256 << 20


class Transport(Protocol):
    """Carries messages. After `AdapterCrash`, `AdapterTimeout`, `ProtocolFault` or `stop` it is no longer `running`."""

    @property
    def running(self) -> bool:
        """Whether there is an adapter to talk to."""
        ...

    @property
    def arrays(self) -> Path | None:
        """The directory large arrays go through; None if they are to be inline."""
        ...

    def start(self) -> None:
        """Get an adapter running. Raises StartFailure."""
        ...

    def exchange(self, request: Mapping[str, Any], *, starting: bool = False) -> Any:
        """Send a request, return the JSON of the answer; `starting`: within the limit for starting."""
        ...

    def stderr(self) -> tuple[str, ...]:
        """The last lines the adapter wrote to its stderr."""
        ...

    def stop(self) -> None:
        """End the adapter, however it is; `start` gets another."""
        ...

    def close(self) -> None:
        """End the adapter and remove every trace of it."""
        ...


class ProcessTransport:
    """An adapter in a process of its own: its command line, and what is added to the environment it inherits."""

    def __init__(
        self, name: str, command: Sequence[str], environment: Mapping[str, str], limits: Limits = Limits()
    ) -> None:
        self.limits = limits
        self._process = AdapterProcess(name, command, environment, limits.memory_gb, limits.answer)

    @property
    def running(self) -> bool:
        """See Transport."""
        return self._process.running

    @property
    def arrays(self) -> Path | None:
        """See Transport."""
        return self._process.arrays

    def start(self) -> None:
        """See Transport."""
        self._process.start()

    def exchange(self, request: Mapping[str, Any], *, starting: bool = False) -> Any:
        """See Transport."""
        line = json.dumps(request, allow_nan=False, separators=(",", ":")).encode() + b"\n"
        answer = self._process.exchange(line, self.limits.start if starting else self.limits.request)
        try:
            return strict_json(answer)
        except ValueError as error:
            raise ProtocolFault(
                f"every line on fd 1 must be a message in strict JSON; found {show(answer)}: {error}", self.stderr()
            ) from None

    def stderr(self) -> tuple[str, ...]:
        """See Transport."""
        return self._process.stderr()

    def stop(self) -> None:
        """See Transport."""
        self._process.kill()

    def close(self) -> None:
        """See Transport."""
        self._process.close()


class InProcessTransport:
    """An adapter object of this process; `make` constructs it, and again after it broke.

    Its messages pass through JSON all the same, so that nothing works here that would not work over the pipe.
    There are no limits, and nothing is protected from a crash.
    """

    def __init__(self, make: Callable[[], Any]) -> None:
        self._make = make
        self._adapter: Any = None

    @property
    def running(self) -> bool:
        """See Transport."""
        return self._adapter is not None

    @property
    def arrays(self) -> Path | None:
        """See Transport."""
        return None

    def start(self) -> None:
        """See Transport."""
        self._adapter = self._make()

    def exchange(self, request: Mapping[str, Any], *, starting: bool = False) -> Any:
        """See Transport."""
        if self._adapter is None:
            raise AdapterCrash("the adapter is not running")
        received = json.loads(json.dumps(request, allow_nan=False))
        try:
            answer = self._adapter.handle(received)
        except Exception as error:
            raise AdapterCrash(f"the adapter raised {type(error).__name__}: {error}") from error
        try:
            return strict_json(json.dumps(answer, allow_nan=False))
        except (TypeError, ValueError) as error:
            raise ProtocolFault(f"an answer must be strict JSON; found {show(repr(answer))}: {error}") from None

    def stderr(self) -> tuple[str, ...]:
        """See Transport."""
        return ()

    def stop(self) -> None:
        """See Transport."""
        self._adapter = None

    def close(self) -> None:
        """See Transport."""
        self.stop()


def strict_json(text: str | bytes) -> Any:
    """The value of JSON text. Raises ValueError, also for what Python accepts beyond JSON (NaN, Infinity)."""
    try:
        return json.loads(text if isinstance(text, str) else text.decode("utf-8"), parse_constant=_refuse_constant)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def show(line: str | bytes) -> str:
    """The beginning of a line, printable."""
    text = line if isinstance(line, str) else line.decode("utf-8", "backslashreplace")
    return repr(text if len(text) <= SHOWN else text[:SHOWN] + "…")
