"""What a library says while it works: Python warnings, log records and prints, in the order they come.

That is how a test sees that a warning was given. A message that Python would show only once a process counts
every time, or a verdict would hang on what ran before; what Python hides from a user by default stays hidden.
"""

from __future__ import annotations

import contextlib
import io
import logging
import warnings
from typing import Any, Dict, Generator, List

Messages = List[Dict[str, str]]

# "Assets written to" is reported at INFO, which loggers leave out by default.
_LOGGERS_AT_INFO = ("tensorflow", "absl", "reference_impl")

# Python's default filters ignore these outside a user's own script.
_HIDDEN = (DeprecationWarning, PendingDeprecationWarning, ImportWarning, ResourceWarning)


class _Collector(logging.Handler):
    def __init__(self, messages: Messages) -> None:
        super().__init__(logging.INFO)
        self._messages = messages

    def emit(self, record: logging.LogRecord) -> None:
        self._messages.append({"channel": "log", "text": record.getMessage()})


@contextlib.contextmanager
def captured() -> Generator[Messages, None, None]:
    """Collect the messages of the block. Prints come last, as one text."""
    messages: Messages = []

    def show(message: Any, *_where: Any, **_more: Any) -> None:
        messages.append({"channel": "warning", "text": str(message)})

    collector = _Collector(messages)
    prints = io.StringIO()
    root = logging.getLogger()
    levels = {logger: logger.level for logger in map(logging.getLogger, _LOGGERS_AT_INFO)}
    root.addHandler(collector)
    for logger in levels:
        logger.setLevel(logging.INFO)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(prints):
            warnings.simplefilter("always")
            for hidden in _HIDDEN:
                warnings.simplefilter("ignore", hidden)
            warnings.showwarning = show
            yield messages
    finally:
        for logger, level in levels.items():
            logger.setLevel(level)
        root.removeHandler(collector)
        if prints.getvalue():
            messages.append({"channel": "stdout", "text": prints.getvalue()})
