"""The class of ``Model(inputs, outputs)``."""

from __future__ import annotations

from reference_impl.models.model import Model


class Functional(Model):
    """A model that is a graph of layers. Its automatic name is ``model``, ``model_1``, …"""
