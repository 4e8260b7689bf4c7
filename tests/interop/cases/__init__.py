"""The layers that are exchanged, a module a family. Read by every library: Python 3.8, the standard library, NumPy.

A module has ``CASES``, by name::

    "conv1d-causal": dict(layer=lambda L: L.Conv1D(4, 3, padding="causal"), inputs=[(8, 3)])

``layer`` makes the layer (or a function of the symbolic inputs) from the library's namespace of layers, in which
``layers.experimental`` and ``layers.experimental.preprocessing`` are looked into too. ``inputs`` are shapes without the
batch. Further keys:

``mask``       a Masking layer stands before it, and some steps are masked
``integers``   inputs are integers below that
``strings``    inputs are these strings, again and again
``random``     its outputs in training are drawn, and not compared
``gradients``  False: it is not differentiable
``tolerance``  ε of |a - b| ≤ ε · max(1, max|expected|); 1e-6 if not given
``but``        libraries left out, each with the reason, which a test holds against what happens

Optimizers are in ``optimizers.OPTIMIZERS``: ``optimizer`` makes one from the library's namespace of optimizers.

One family against one library, in processes that do nothing else: ``pytest tests/interop -k 'convolution and tf2.4'``,
with ``KERAS_CONFORMANCE_ENVS`` naming the folder of the environments unless tox has made them.
"""

import importlib
import os
import pkgutil


def load(name):
    """The table ``CASES`` of the module ``name`` of this package, whatever the package is called there."""
    return importlib.import_module(f"{__name__}.{name}").CASES


def families():
    """The names of the modules that have ``CASES``."""
    found = (module.name for module in pkgutil.iter_modules([os.path.dirname(__file__)]))
    return sorted(name for name in found if name != "optimizers")


def all_cases():
    """Every case, by ``family/name``."""
    return {f"{family}/{name}": case for family in families() for name, case in load(family).items()}
