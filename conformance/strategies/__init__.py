"""Hypothesis strategies for models and what is done with them, and deterministic arrays from a seed.

``models()`` is the one most tests want; ``sequentials()``, ``functionals()`` and ``subclassed()`` are its kinds.
Everything drawn is small (sizes 1 to 5, few layers), valid in every dialect, and shrinks towards one Dense layer. All
integers that are drawn lie below 100 and everything else is picked from tables: Hypothesis never replaces those by
constants that it mines from imported modules, see :mod:`conformance.strategies.determinism`.
"""

from conformance.strategies.arrays import batches, distinct_weights, inputs_for, targets_for
from conformance.strategies.compiles import compiles
from conformance.strategies.determinism import no_mined_constants
from conformance.strategies.layers import CatalogueEntry, layer_catalogue
from conformance.strategies.models import functionals, models, sequentials, subclassed
from conformance.strategies.pieces import custom_objects, data_seeds, layers

__all__ = [
    "CatalogueEntry",
    "batches",
    "compiles",
    "custom_objects",
    "data_seeds",
    "distinct_weights",
    "functionals",
    "inputs_for",
    "layer_catalogue",
    "layers",
    "models",
    "no_mined_constants",
    "sequentials",
    "subclassed",
    "targets_for",
]
