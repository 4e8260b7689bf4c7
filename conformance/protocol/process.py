"""An adapter's process and its supervision: lines in, lines out, under limits of time, memory and length.

The process leads a session and group of its own, and is confined (see ``sandbox``). fd 0 and 1 are pipes, fd 2 is a file: a pipe nobody reads would
fill. Whatever goes wrong, the whole of it is killed with SIGKILL and reaped, then `start` gets another one.
Three nets catch what it leaves behind: the process group, its children as the system lists them, and a variable in
the environment that only this adapter's descendants carry, for those that left the group or lost their parent.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import selectors
import shutil
import signal
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO

import psutil

from conformance.protocol.errors import AdapterCrash, AdapterTimeout, ProtocolFault, StartFailure
from conformance.protocol.sandbox import confinement

MARK = "KERAS_CONFORMANCE_ADAPTER"
# A variable of the driver's own interpreter or shell would change what the adapter's interpreter imports.
NOT_INHERITED = ("PYTHONHOME", "PYTHONPATH", "PYTHONSTARTUP", "PYTHONWARNINGS", "VIRTUAL_ENV", "__PYVENV_LAUNCHER__")
WATCH = 0.2  # seconds between two looks at memory, stderr and exit status while an answer is awaited
LAST_WORDS = 10.0  # seconds for a process to exit after it closed its pipe
CHUNK = 1 << 20
STDERR_LIMIT = 16 << 20
STDERR_LINES, STDERR_TAIL = 20, 16 << 10


class AdapterProcess:
    """One adapter, running or not. Not for use from two threads."""

    def __init__(
        self, name: str, command: Sequence[str], environment: Mapping[str, str], memory_gb: float, longest: int
    ) -> None:
        self.name = name
        self.command = tuple(command)
        self.memory_gb = memory_gb
        self.longest = longest
        self.folder = Path(tempfile.mkdtemp(prefix="keras-conformance-adapter-"))
        self.arrays = self.folder / "arrays"
        self._mark = uuid.uuid4().hex
        self._environment = {
            **{key: value for key, value in os.environ.items() if key not in NOT_INHERITED},
            "PYTHONNOUSERSITE": "1",
            **environment,
            MARK: self._mark,
        }
        self._process: subprocess.Popen[bytes] | None = None
        self._received = bytearray()
        self._searched = 0  # how much of it is known to hold no end of a line
        self._watched = 0.0
        atexit.register(self.close)

    @property
    def running(self) -> bool:
        """Whether a process was started and not killed since."""
        return self._process is not None

    def start(self) -> None:
        """Start the process. Raises StartFailure if there is no such program."""
        self.kill()
        shutil.rmtree(self.arrays, ignore_errors=True)
        self.arrays.mkdir(parents=True)
        self._received.clear()
        self._searched = 0
        # Opened for appending, so that it can be cut while the adapter writes.
        with open(self._stderr_file, "wb"), open(self._stderr_file, "ab") as stderr:
            try:
                self._process = subprocess.Popen(
                    self.command,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=stderr,
                    env=self._environment,
                    cwd=self.folder,
                    bufsize=0,
                    start_new_session=True,
                    preexec_fn=confinement(self.memory_gb),
                )
            except OSError as error:
                raise StartFailure(f"{self.name}: {self.command[0]} cannot be run: {error.strerror}") from error
        for pipe in (self._stdin, self._stdout):
            os.set_blocking(pipe.fileno(), False)

    def exchange(self, line: bytes, limit: float) -> bytes:
        """Write a line, return the line that comes back, without its end.

        Raises AdapterCrash, AdapterTimeout or ProtocolFault; the process is gone then.
        """
        if self._process is None:
            raise AdapterCrash(f"{self.name} is not running")
        try:
            return self._exchange(memoryview(line), time.monotonic() + limit, limit)
        except BaseException:
            self.kill()
            raise

    def stderr(self) -> tuple[str, ...]:
        """The last lines on stderr of the process that runs, or ran last."""
        try:
            with open(self._stderr_file, "rb") as file:
                file.seek(0, os.SEEK_END)
                file.seek(max(0, file.tell() - STDERR_TAIL))
                text = file.read().decode("utf-8", "replace")
        except OSError:
            return ()
        return tuple(text.splitlines()[-STDERR_LINES:])

    def kill(self) -> None:
        """End the process and all its descendants, and reap it. Does nothing if there is none."""
        process, self._process = self._process, None
        if process is None:
            return
        descendants = [*self._family(process.pid)[1:], *self._marked()]
        # Once it is reaped its number may be another's, so the group is killed only before.
        if process.poll() is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
        for descendant in descendants:
            with contextlib.suppress(psutil.Error):
                descendant.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()

    def close(self) -> None:
        """End the process and remove its folder; nothing of it can be used any more."""
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)
        atexit.unregister(self.close)

    # Talking

    def _exchange(self, unsent: memoryview, deadline: float, limit: float) -> bytes:
        if time.monotonic() > self._watched + WATCH:
            self._watch()
        with selectors.DefaultSelector() as selector:
            selector.register(self._stdout, selectors.EVENT_READ)
            selector.register(self._stdin, selectors.EVENT_WRITE)
            line = self._line()
            while line is None:
                left = deadline - time.monotonic()
                if left <= 0:
                    raise AdapterTimeout(
                        f"{self.name} gave no answer within {limit:g} s (raise the limit in its implementation.toml)",
                        self.stderr(),
                    )
                ready = selector.select(min(left, WATCH))
                if not ready:
                    self._watch()
                for key, _ in ready:
                    if key.fileobj is self._stdin:
                        unsent = self._send(unsent)
                        if not unsent:
                            selector.unregister(self._stdin)
                    else:
                        line = self._receive()
            return line

    def _send(self, unsent: memoryview) -> memoryview:
        try:
            return unsent[os.write(self._stdin.fileno(), unsent[:CHUNK]) :]
        except BlockingIOError:
            return unsent
        except BrokenPipeError:
            return unsent[:0]  # it no longer listens; its last words, if any, are on the other pipe

    def _receive(self) -> bytes | None:
        """The line, if it is complete."""
        try:
            chunk = os.read(self._stdout.fileno(), CHUNK)
        except BlockingIOError:
            return None
        if not chunk:
            raise AdapterCrash(f"{self.name} {self._end()} before it answered", self.stderr())
        self._received += chunk
        return self._line()

    def _line(self) -> bytes | None:
        """The first line received, if it is complete. One that nobody asked for is taken for the next answer."""
        end = self._received.find(b"\n", self._searched)
        self._searched = len(self._received) if end < 0 else 0
        if end < 0:
            if len(self._received) > self.longest:
                raise ProtocolFault(f"an answer of {self.name} is longer than {self.longest} bytes", self.stderr())
            return None
        line = bytes(self._received[:end])
        del self._received[: end + 1]
        return line

    def _end(self) -> str:
        """How the process ended, in words. Waits for it: its pipe is closed a moment before."""
        assert self._process is not None
        try:
            status = self._process.wait(LAST_WORDS)
        except subprocess.TimeoutExpired:
            return "closed its fd 1"
        return f"was ended by {_signal_name(-status)}" if status < 0 else f"exited with status {status}"

    # Watching

    def _watch(self) -> None:
        """Raise AdapterCrash if the process has ended or takes too much memory; keep its stderr short."""
        assert self._process is not None
        self._watched = time.monotonic()
        if self._process.poll() is not None and not self._readable():
            raise AdapterCrash(f"{self.name} {self._end()} before it answered", self.stderr())
        used = self._memory()
        if used > self.memory_gb * 1e9:
            raise AdapterCrash(
                f"{self.name} took {used / 1e9:.1f} GB of memory, its limit is {self.memory_gb:g} GB", self.stderr()
            )
        self._cut_stderr()

    def _readable(self) -> bool:
        with selectors.DefaultSelector() as selector:
            selector.register(self._stdout, selectors.EVENT_READ)
            return bool(selector.select(0))

    def _memory(self) -> int:
        """Resident bytes of the process and its children."""
        assert self._process is not None
        total = 0
        for process in self._family(self._process.pid):
            with contextlib.suppress(psutil.Error):
                total += process.memory_info().rss
        return total

    def _cut_stderr(self) -> None:
        # The adapter may have removed the folder, or filled the disk: then there is nothing to keep short.
        with contextlib.suppress(OSError):
            if self._stderr_file.stat().st_size > STDERR_LIMIT:
                tail = "\n".join(self.stderr()) + "\n"
                with open(self._stderr_file, "ab") as file:
                    file.truncate(0)
                    file.write(tail.encode())

    # Its descendants

    def _marked(self) -> Iterator[psutil.Process]:
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                if process.environ().get(MARK) == self._mark:
                    yield process

    @staticmethod
    def _family(pid: int) -> list[psutil.Process]:
        try:
            process = psutil.Process(pid)
            return [process, *process.children(recursive=True)]
        except psutil.Error:
            return []

    @property
    def _stderr_file(self) -> Path:
        return self.folder / "stderr.txt"

    @property
    def _stdin(self) -> IO[bytes]:
        assert self._process is not None
        assert self._process.stdin is not None
        return self._process.stdin

    @property
    def _stdout(self) -> IO[bytes]:
        assert self._process is not None
        assert self._process.stdout is not None
        return self._process.stdout


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
