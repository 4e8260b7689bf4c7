"""Hypothesis strategies for models and what is done with them, and deterministic arrays from a seed.

``models()`` is the one most tests want; ``sequentials()``, ``functionals()`` and ``subclassed()`` are its kinds. Others
are for one thing each that is easily lost:

* models: ``deep_models`` (models in models, flags on every level), ``named_models`` (names that hurt), ``typed_models``
  (dtypes and mixed policies), ``penalized_models`` (regularizers, constraints), ``masked_models``,
  ``multi_output_layers``, ``wide_model`` (hundreds of weights in one layer), ``entry_model`` (any built-in layer);
* values: ``distinct_weights`` (all different), ``hard_weights`` (NaN, infinities, negative zero, subnormals, extremes);
* compile information: ``compiles`` (names, objects, lists, dicts), ``custom_compiles``, ``optimizers``;
* registries and paths: ``scope_steps``, ``registrations``, ``places``.

Everything drawn is small (sizes 1 to 5, few layers), valid in every dialect unless its docstring says otherwise, and
shrinks towards one Dense layer. All integers that are drawn lie below 100 and everything else is picked from tables:
Hypothesis never replaces those by constants that it mines from imported modules, see
:mod:`conformance.strategies.determinism`. Nothing is filtered: every draw is an example.
"""

from conformance.strategies.arrays import batches, distinct_weights, inputs_for, targets_for
from conformance.strategies.compiles import compiles, custom_compiles, optimizers
from conformance.strategies.determinism import no_mined_constants
from conformance.strategies.features import (
    entry_model,
    masked_models,
    multi_output_layers,
    penalized_models,
    plain_entries,
    spelled_for,
    typed_models,
    wide_model,
)
from conformance.strategies.hurting import HURTING_NAMES, hurting_names, name_lists, named_model, named_models
from conformance.strategies.layers import CatalogueEntry, layer_catalogue
from conformance.strategies.models import functionals, models, sequentials, subclassed
from conformance.strategies.nesting import deep_models
from conformance.strategies.pieces import custom_objects, data_seeds, layers
from conformance.strategies.places import Place, places
from conformance.strategies.scopes import registrations, scope_steps
from conformance.strategies.values import hard_values, hard_weights

__all__ = [
    "HURTING_NAMES",
    "CatalogueEntry",
    "Place",
    "batches",
    "compiles",
    "custom_compiles",
    "custom_objects",
    "data_seeds",
    "deep_models",
    "distinct_weights",
    "entry_model",
    "functionals",
    "hard_values",
    "hard_weights",
    "hurting_names",
    "inputs_for",
    "layer_catalogue",
    "layers",
    "masked_models",
    "models",
    "multi_output_layers",
    "name_lists",
    "named_model",
    "named_models",
    "no_mined_constants",
    "optimizers",
    "penalized_models",
    "places",
    "plain_entries",
    "registrations",
    "scope_steps",
    "sequentials",
    "spelled_for",
    "subclassed",
    "targets_for",
    "typed_models",
    "wide_model",
]
