"""What an adapter's process may not do: reach a network, dump core, fill a disk, compute for ever.

The files it reads may be anybody's. It has no network where the kernel lets us give it a namespace of its own: root may
ask for one, others where user namespaces are allowed; elsewhere the run says that it has one. It starts in a folder of
its own, with limits that its children inherit; what it takes together is watched from outside (see ``process``), where
it is killed as a group.

=============  =====================================================================================================
network        an empty namespace: no interface is up, not even the machine's own
core           none
file size      more than any model the suite writes, less than a disk
CPU            of one process; the time limit of each request is the narrower one
data           of one process; more than the memory limit, for libraries set aside what they never touch
=============  =====================================================================================================
"""

from __future__ import annotations

import ctypes
import os
import resource
import subprocess
import sys
from collections.abc import Callable
from functools import cache

FILE_SIZE = 4 << 30
CPU_SECONDS = 4 * 3600
DATA_OVER_MEMORY = 2  # times the memory limit

_NEW_NETWORK, _NEW_USER = 0x40000000, 0x10000000


@cache
def no_network() -> str | None:
    """Why adapters have a network here; None where they have none. Tried once, on a process that does nothing."""
    if not sys.platform.startswith("linux"):
        return f"{sys.platform} has no network namespaces"
    try:
        done = subprocess.run(["true"], preexec_fn=_leaver(), check=False, timeout=30)
    except (OSError, subprocess.SubprocessError):
        return "the kernel does not permit a network namespace"
    return None if done.returncode == 0 else f"a process in a network namespace ended with {done.returncode}"


def confinement(memory_gb: float) -> Callable[[], None]:
    """What a child does between fork and exec to be confined; it never fails, for less confinement is no less a run."""
    leave = _leaver() if no_network() is None else None
    wanted = (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, FILE_SIZE),
        (resource.RLIMIT_CPU, CPU_SECONDS),
        (resource.RLIMIT_DATA, int(memory_gb * DATA_OVER_MEMORY * 1e9)),
    )
    # Nothing is looked up or read in the child: another thread of the driver may have held any lock.
    limits = [(kind, (_lower(most, soft), _lower(most, hard))) for kind, most in wanted
              for soft, hard in [resource.getrlimit(kind)]]  # fmt: skip
    set_limit = resource.setrlimit

    def confine() -> None:
        for kind, limit in limits:
            try:
                set_limit(kind, limit)
            except (ValueError, OSError):  # a system that has the name of a limit and not the limit
                continue
        if leave is not None:
            leave()

    return confine


def _lower(most: int, present: int) -> int:
    return most if present == resource.RLIM_INFINITY else min(most, present)


def _leaver() -> Callable[[], None]:
    """A function that takes the calling process out of the network. It raises OSError where that is not permitted."""
    unshare = ctypes.CDLL(None, use_errno=True).unshare
    user, group = os.getuid(), os.getgid()
    maps = (("setgroups", b"deny"), ("uid_map", b"%d %d 1" % (user, user)), ("gid_map", b"%d %d 1" % (group, group)))

    def leave() -> None:
        if unshare(_NEW_NETWORK) == 0:
            return
        # In a user namespace of its own anybody may; there it goes on as who it was.
        if unshare(_NEW_USER | _NEW_NETWORK) != 0:
            raise OSError(ctypes.get_errno(), "unshare")
        for name, text in maps:
            handle = os.open(f"/proc/self/{name}", os.O_WRONLY)
            os.write(handle, text)
            os.close(handle)

    return leave
