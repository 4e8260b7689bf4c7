"""One case read: right, refused, or a finding."""

from __future__ import annotations

import hashlib
import resource
import traceback
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast

import numpy as np

from fuzz.cases import Files, lay
from fuzz.readers import Reader
from reference_impl import LoadError

Kind = Literal["right", "refused", "silent", "crash", "hang", "memory"]
FINDINGS: tuple[Kind, ...] = ("silent", "crash", "hang", "memory")

SECONDS = 2.0  # of CPU: a machine with other work to do makes nothing slow in this sense
WAITING = 60  # seconds by the clock, for a reader that waits for something
MEMORY_RATIO, MEMORY_SLACK = 10, 200 << 20  # of the size of the case, and on top of it


@dataclass(frozen=True)
class Outcome:
    """What came of a case. ``site``: where in our code it was refused, or the error arose, and the callers of that.
    ``digest``: of its values."""

    kind: Kind
    site: tuple[str, ...] = ()
    text: str = ""
    digest: str = ""


def judge(reader: Reader, files: Files, folder: Path, expected: str | None = None) -> Outcome:
    """Read ``files``, laid into ``folder``. ``expected``: the digest of the values, if they must be those."""
    lay(files, folder)
    forget_peak()
    before = peak_memory()
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            digest = digest_of(reader.read(folder))
    except LoadError as error:
        outcome = Outcome("refused", site_of(error), str(error))
        if not reader.fresh and any(isinstance(cause, MemoryError) for cause in _causes(error)):
            outcome = Outcome("memory", outcome.site, f"refused for want of memory: {error}")
    except MemoryError as error:
        outcome = Outcome("memory", site_of(error), repr(error))
    except Exception as error:
        outcome = Outcome("crash", site_of(error), "".join(traceback.format_exception(error)[-12:]))
    else:
        outcome = Outcome("right", digest=digest)
        if expected is not None and digest != expected:
            outcome = Outcome("silent", ("values",), "the values are not those that were saved", digest)
    allowed = MEMORY_RATIO * sum(map(len, files.values())) + MEMORY_SLACK
    grown = peak_memory() - before
    if grown > allowed and not reader.fresh:
        return Outcome("memory", outcome.site or ("right",), f"{grown} bytes more at the peak, {allowed} are allowed")
    return outcome


def digest_of(values: Iterable[Any]) -> str:
    """A digest of values, in which equal ones are those that have the same bytes, dtypes and shapes."""
    digest = hashlib.sha256()
    for value in values:
        if isinstance(value, np.ndarray | np.generic):
            array: Any = np.asarray(cast("Any", value))
            digest.update(f"{array.dtype}{array.shape}".encode())
            digest.update(repr(array.tolist()).encode() if array.dtype.kind == "O" else array.tobytes())
        else:
            digest.update(repr(value).encode())
    return digest.hexdigest()


def forget_peak() -> None:
    """Have :func:`peak_memory` begin anew where the kernel can: what one case took must not hide what the next takes."""
    if _FORGETTING.exists():
        _FORGETTING.write_text("5", "ascii")


def peak_memory() -> int:
    """The most bytes this process had in memory, since :func:`forget_peak` or ever."""
    if _FORGETTING.exists():
        status = _FORGETTING.with_name("status").read_text("ascii", "replace")
        return int(status.partition("VmHWM:")[2].split()[0]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


_FORGETTING = Path("/proc/self/clear_refs")


def site_of(error: BaseException) -> tuple[str, ...]:
    """The error's type, and ``module:line`` of the last of our frames that it went through, innermost first."""
    found: list[str] = []
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        parts = Path(frame.filename).parts
        if OURS in parts and len(found) < DEPTH:
            name = ".".join(parts[parts.index(OURS) + 1 :]).removesuffix(".py")
            found.append(f"{name}:{frame.lineno}")
    return type(error).__name__, *found


OURS, DEPTH = "reference_impl", 5


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
