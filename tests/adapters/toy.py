"""A library for tests of the adapters' own code: just enough of Keras to define the named set on it."""

from __future__ import annotations

import logging
import warnings
from types import SimpleNamespace
from typing import Any

import numpy as np

from conformance.adapters.library import Library


class Layer:
    """Holds a name; misbehaves on request."""

    def __init__(self, name: str = "toy", misbehave: str = "") -> None:
        self.name = name
        self.built = True
        self.trainable = True
        self.misbehave = misbehave

    def get_config(self) -> dict[str, Any]:
        if self.misbehave == "raise":
            raise OSError("the disk is full")
        if self.misbehave == "talk":
            print("a print")
            warnings.warn("a warning", UserWarning, stacklevel=1)
            warnings.warn("a hidden one", DeprecationWarning, stacklevel=1)
            logging.getLogger("tensorflow").info("a record")
            print("another")
        return {"name": self.name}


class Model(Layer):
    layers: tuple[Any, ...] = ()


class Dense(Layer):
    pass


class Sequential(Model):
    pass


REGISTRY: dict[str, Any] = {"Custom>BuiltIn": Dense}


class Toy(Library):
    """The toy as a library under test."""

    name = "toy"

    def __init__(self) -> None:
        self.keras = SimpleNamespace(
            Model=Model,
            Sequential=Sequential,
            layers=SimpleNamespace(Layer=Layer, Dense=Dense),
            utils=SimpleNamespace(get_custom_objects=lambda: REGISTRY),
            backend=SimpleNamespace(clear_session=lambda: None),
            __version__="1.0",
        )
        self.tf = SimpleNamespace(random=SimpleNamespace(set_seed=abs), Variable=np.ndarray)
