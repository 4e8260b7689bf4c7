"""Drawing that does not depend on which other modules are imported.

Hypothesis mines the constants of every imported module that is neither installed nor of the standard library, and now
and then draws one of them instead of a random integer (of 100 or more), float, string or bytes. What is drawn then
depends on what else has been imported: on the selection of tests, the order, the plugins, the folder of the run.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

from hypothesis.internal.conjecture import providers


@contextmanager
def no_mined_constants() -> Generator[None]:
    """Let Hypothesis draw no constant of another module while this is active.

    Wrap the call of the ``@given`` function in it, not its body: drawing and shrinking happen around the body. What
    Hypothesis found for tests of the host project is put back on leaving. Nothing else of Hypothesis's behaviour
    changes, least of all its settings. Works on the pinned Hypothesis; raises AttributeError on one whose inner
    parts are called otherwise.
    """
    mine = providers._get_local_constants  # pyright: ignore[reportPrivateUsage]
    nothing = type(providers.GLOBAL_CONSTANTS)()
    providers._get_local_constants = lambda: nothing  # pyright: ignore[reportPrivateUsage]
    providers.CONSTANTS_CACHE.cache.clear()
    try:
        yield
    finally:
        providers._get_local_constants = mine  # pyright: ignore[reportPrivateUsage]
        providers.CONSTANTS_CACHE.cache.clear()
