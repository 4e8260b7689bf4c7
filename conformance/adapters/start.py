"""Turn a file of this folder into a program, whatever interpreter runs it.

Python puts a script's own folder first on the module path. Here that would let our `tf_keras.py` hide the
library `tf_keras`. The folder above `conformance` is no better: installed, it is the site-packages of the
driver, and the library under test must not find the driver's packages. So this module, imported by a script
before anything else, takes the folder off the path and makes `conformance` known as a package of which
only what lies in its folder can be imported.
"""

from __future__ import annotations

import sys
import types
from pathlib import Path

_ADAPTERS = Path(__file__).resolve().parent

sys.path[:] = [entry for entry in sys.path if Path(entry or ".").resolve() != _ADAPTERS]

_package = types.ModuleType("conformance")
_package.__path__ = [str(_ADAPTERS.parent)]
sys.modules["conformance"] = _package
