"""The files that a library writes, damaged, and read by the library: what it makes of them.

It judges nobody: that a library should notice is what the chapter "damage" of the specification requires. This counts.
"""

from __future__ import annotations

import random
import tempfile
from collections.abc import Callable, Collection
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Literal

from conformance.blueprint import Compile, NestedModel, chain, layer
from conformance.implementations.registry import ImplementationSpec, open_session
from conformance.protocol.errors import AdapterCrash, AdapterTimeout, Refused, Unsupported
from conformance.protocol.session import Handle, Session
from conformance.strategies import batches
from conformance.suite.models import MODEL_FILES, WEIGHT_FILES, prepared, set_distinct_weights
from fuzz import damage
from fuzz.cases import Files, gather, lay
from fuzz.judge import digest_of

SECONDS = 20.0  # by the clock, with TensorFlow's own time for a whole model in it
INNER = chain(layer("Dense", units=3, activation="relu", name="inside"), shape=(5,)).with_name("inner")
MODEL = chain(
    layer("Dense", units=5, name="first"),
    layer("BatchNormalization", name="norm"),
    NestedModel("inner", INNER),
    layer("Dense", units=2, name="last"),
    shape=(4,),
).with_compile(Compile({"class": "Adam", "args": {"learning_rate": 0.01}}, "mean_squared_error"))

MODELS = {f"{format} model": format for format in MODEL_FILES}
WEIGHTS = {f"{format} weights": format for format in WEIGHT_FILES}

Came = Literal["refused", "right", "silent", "unguarded", "changed", "crash", "hang"]


@dataclass(frozen=True)
class Row:
    """What a library made of its damaged files of one format.

    ``silent``: other values, where a checksum of the format covers the damage; ``unguarded``: other values, where none
    does; ``changed``: refused, but the model that the weights were for is no longer what it was.
    """

    library: str
    format: str
    done: int = 0
    refused: int = 0
    right: int = 0
    silent: int = 0
    unguarded: int = 0
    changed: int = 0
    crash: int = 0
    hang: int = 0

    def counted(self, came: Came) -> Row:
        """The row with one case more."""
        return replace(self, done=self.done + 1, **{came: getattr(self, came) + 1})


COLUMNS = tuple(field.name for field in fields(Row))


def formats_of(session: Session) -> list[str]:
    """Those of :data:`MODELS` and :data:`WEIGHTS` that the library writes and reads."""
    able = set(session.hello.capabilities)
    return [
        name
        for ways, part in ((MODELS, ""), (WEIGHTS, "-weights"))
        for name, format in ways.items()
        if {f"save{part}.{format}", f"load{part}.{format}"} <= able
    ]


def run(
    implementation: ImplementationSpec,
    variants: int,
    seed: int,
    python: Path | None = None,
    told: Callable[[str, int], None] = lambda format, done: None,
) -> list[Row]:
    """A row for each format: ``variants`` damaged files. ``told`` hears the format, and how many were done.

    Raises StartFailure if there is no such library here.
    """
    slow = replace(implementation, limits=replace(implementation.limits, request=SECONDS))
    with open_session(slow, python=python) as session, tempfile.TemporaryDirectory(prefix="fuzz-") as scratch:
        return [
            _row(session, name, Path(scratch), variants, seed, lambda done, name=name: told(name, done))
            for name in formats_of(session)
        ]


def _row(session: Session, name: str, scratch: Path, variants: int, seed: int, told: Callable[[int], None]) -> Row:
    files, other = (_written(session, name, scratch / f"{name} {model}", model) for model in (1, 2))
    reads = _Model(session, name) if name in MODELS else _Weights(session, name)
    expected = reads(files, scratch / "case")
    if expected != reads(files, scratch / "case"):
        raise RuntimeError(f"{session.name}, {name}: a file that nobody damaged is read differently a second time")
    row = Row(session.name, name)
    for number in range(variants):
        chance = random.Random(f"{seed} {name} {number}")
        changed, _, places = damage.damaged(chance, files, other)
        row = row.counted(_came(reads, changed, scratch / "case", expected, _guarded(name, places)))
        told(row.done)
    return row


def _written(session: Session, name: str, folder: Path, seed: int) -> Files:
    """The trained model, as the library writes it."""
    folder.mkdir()
    session.reset(0)
    model = prepared(session, MODEL, seed)
    session.train(model, batches(MODEL, seed, 2))
    set_distinct_weights(session, model, seed)
    if name in MODELS:
        session.save(model, folder / MODEL_FILES[MODELS[name]])
    else:
        session.save_weights(model, folder / WEIGHT_FILES[WEIGHTS[name]])
    return gather(folder)


def _guarded(name: str, places: Collection[str]) -> bool:
    """Whether the format has a checksum of what was damaged. TensorFlow keeps none of a SavedModel's own messages."""
    if name == "savedmodel model":
        return all("/variables/" in place for place in places)
    return damage.guarded(name.split()[0], places)


class _Model:
    """Loads a whole model: its weights, its optimizer's variables and its config."""

    def __init__(self, session: Session, name: str) -> None:
        self._session, self._file = session, MODEL_FILES[MODELS[name]]

    def __call__(self, files: Files, folder: Path) -> str:
        lay(files, folder)
        self._session.reset(0)
        model = self._session.load(folder / self._file)
        try:
            return self._state(model)
        except (Refused, Unsupported) as error:  # it was loaded, and is not what was saved
            return str(error)

    def _state(self, model: Handle) -> str:
        session = self._session
        return digest_of(
            [*session.get_weights(model), *session.optimizer(model).values(), session.get_config(model).config]
        )

    def touched(self) -> bool:
        """Loading makes a model of its own: there is none that it could have changed."""
        return False


class _Weights:
    """Loads weights into a model that has other ones."""

    def __init__(self, session: Session, name: str) -> None:
        self._session, self._file = session, WEIGHT_FILES[WEIGHTS[name]]

    def __call__(self, files: Files, folder: Path) -> str:
        lay(files, folder)
        self._session.reset(0)
        self._target = prepared(self._session, MODEL, 3)
        self._before = self._weights()
        self._session.load_weights(self._target, folder / self._file)
        return self._weights()

    def _weights(self) -> str:
        return digest_of(self._session.get_weights(self._target))

    def touched(self) -> bool:
        """Whether the model is not what it was before the load that was refused."""
        return self._weights() != self._before


def _came(reads: _Model | _Weights, files: Files, folder: Path, expected: str, guarded: bool) -> Came:
    try:
        found = reads(files, folder)
    except Refused:
        return "changed" if reads.touched() else "refused"
    except AdapterCrash:
        return "crash"
    except AdapterTimeout:
        return "hang"
    if found == expected:
        return "right"
    return "silent" if guarded else "unguarded"
