"""Makes the driver's environment when an implementation is validated alone (``tox -e tf2.4``) and it is missing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tox.plugin import impl
from tox.tox_env.api import ToxEnv

IMPLEMENTATIONS = ("tf2.4", "tf2.15", "tf-keras", "keras3", "keras3-jax")


@impl
def tox_before_run_commands(tox_env: ToxEnv) -> None:
    """Run ``tox -e reference --notest`` first where there is no driver yet."""
    driver = Path(tox_env.core["work_dir"]) / "reference" / "bin" / "python"
    if tox_env.conf.name in IMPLEMENTATIONS and not driver.exists():
        subprocess.run([sys.executable, "-m", "tox", "run", "--notest", "-e", "reference"], check=True)
