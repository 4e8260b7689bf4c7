"""What `inspect` finds: the document that ``conformance/cli/inspect.schema.json`` describes."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

SCHEMA = "1.0"


@dataclass(frozen=True)
class Writer:
    """Who wrote the file, as far as it says. ``generation`` is a dialect of the specification, or ``keras-1``."""

    generation: str | None = None
    keras: str | None = None
    tensorflow: str | None = None
    backend: str | None = None
    date: str | None = None


@dataclass(frozen=True)
class LayerFact:
    """A layer, and those inside it. ``custom`` when its class is none of Keras's own; ``arrays`` counts its weights."""

    name: str
    class_name: str
    custom: bool
    trainable: bool | None
    arrays: int | None
    layers: tuple[LayerFact, ...]


@dataclass(frozen=True)
class WeightFact:
    """An array: where it is in the file, its shape and dtype, and whose it is."""

    name: str
    shape: tuple[int, ...]
    dtype: str
    role: Literal["weight", "optimizer", "metric"] = "weight"


@dataclass(frozen=True)
class OptimizerFact:
    """The optimizer: its class if the file names it, its settings, and how many arrays of state the file has."""

    class_name: str | None
    config: dict[str, Any]
    arrays: int


@dataclass(frozen=True)
class Check:
    """What was verified; ``ok`` is None where the format has nothing to verify by."""

    what: str
    ok: bool | None
    detail: str


@dataclass(frozen=True)
class Danger:
    """Something that can harm who loads the file, and where it is."""

    kind: str
    where: str
    what: str


@dataclass(frozen=True)
class Expectation:
    """Whether an implementation should load the file: ``yes``; ``uncompiled`` (with ``compile=False`` alone); ``custom``
    (when its custom objects are given); ``no``. ``why`` explains every answer but ``yes``."""

    implementation: str
    loads: Literal["yes", "uncompiled", "custom", "no"]
    why: tuple[str, ...]


@dataclass(frozen=True)
class Inspection:
    """Everything about one file. ``custom`` names the classes and functions that are not Keras's own."""

    path: str
    format: str
    holds: str
    bytes: int
    writer: Writer = field(default_factory=Writer)
    name: str | None = None
    layers: tuple[LayerFact, ...] = ()
    weights: tuple[WeightFact, ...] = ()
    optimizer: OptimizerFact | None = None
    training: dict[str, Any] = field(default_factory=dict[str, Any])
    custom: tuple[str, ...] = ()
    signatures: tuple[str, ...] = ()
    checks: tuple[Check, ...] = ()
    dangers: tuple[Danger, ...] = ()
    expectations: tuple[Expectation, ...] = ()

    @property
    def damaged(self) -> bool:
        """Whether a check failed."""
        return any(check.ok is False for check in self.checks)

    def to_json(self) -> dict[str, Any]:
        """The document."""
        return asdict(self)


@dataclass(frozen=True)
class Document:
    """What ``inspect --json`` prints: the files that could be read, and what was wrong with the others."""

    schema: str
    files: tuple[Inspection, ...]
    errors: tuple[str, ...]


def json_schema() -> dict[str, Any]:
    """The JSON Schema of the document; ``inspect.schema.json`` is this, written down."""
    from pydantic import TypeAdapter

    schema = TypeAdapter(Document).json_schema(mode="serialization")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
