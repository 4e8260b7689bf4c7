"""An inspection as text for a terminal."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from math import prod

from conformance.inspecting.model import Inspection, LayerFact

_UNITS = ("bytes", "kB", "MB", "GB", "TB")
_SIGNS = {True: "ok", False: "WRONG", None: "none"}
_ANSWERS = {"yes": "yes", "uncompiled": "only with compile=False", "custom": "with custom objects", "no": "no"}


def text(found: Inspection, limit: int | None = 40) -> str:
    """The whole text; of layers and weights at most ``limit`` lines each, all of them if it is None."""
    return "\n".join([f"{found.path}", *_head(found), *_sections(found, limit)])


def _head(found: Inspection) -> Iterator[str]:
    yield f"  format      {found.format}: {found.holds}, {_size(found.bytes)}"
    writer = found.writer
    said = {"Keras": writer.keras, "TensorFlow": writer.tensorflow, "backend": writer.backend, "saved": writer.date}
    versions = ", ".join(f"{name} {value}" for name, value in said.items() if value)
    yield f"  written by  {versions or 'the file does not say'}" + (
        f" ({writer.generation})" if writer.generation else ""
    )
    if found.name:
        yield f"  name        {found.name}"
    own = [weight for weight in found.weights if weight.role == "weight"]
    yield f"  weights     {len(own)} arrays, {sum(prod(weight.shape) for weight in own):,} numbers"
    if found.optimizer:
        settings = ", ".join(f"{key}={value}" for key, value in found.optimizer.config.items() if key != "name")
        name = found.optimizer.class_name or "its state alone"
        yield f"  optimizer   {name}{f' ({settings})' if settings else ''}; {found.optimizer.arrays} arrays of state"
    for key, value in found.training.items():
        yield f"  {key:<11} {_short(value)}"
    if found.custom:
        yield f"  custom      {', '.join(found.custom)}"
    if found.signatures:
        yield f"  signatures  {', '.join(found.signatures)}"


def _sections(found: Inspection, limit: int | None) -> Iterator[str]:
    if found.layers:
        yield from _section("layers", _tree(found.layers, "    "), limit)
    if found.weights:
        width = min(max(len(weight.name) for weight in found.weights), 72)
        lines = (f"    {weight.name:<{width}}  {weight.dtype} {list(weight.shape)}" for weight in found.weights)
        yield from _section("arrays", lines, limit)
    yield from _section(
        "checks", (f"    {check.what}: {_SIGNS[check.ok]}; {check.detail}" for check in found.checks), None
    )
    dangers = [f"    {danger.kind}: {danger.where}: {danger.what}" for danger in found.dangers]
    yield from _section("dangers", dangers or ["    none found"], None)
    answers = (
        f"    {it.implementation:<11} {_ANSWERS[it.loads]}{': ' if it.why else ''}{'; '.join(it.why)}"
        for it in found.expectations
    )
    yield from _section("who should load it", answers, None)


def _section(title: str, lines: Iterable[str], limit: int | None) -> Iterator[str]:
    every = list(lines)
    yield f"  {title}"
    yield from every[:limit]
    if limit is not None and len(every) > limit:
        yield f"    … and {len(every) - limit} more (--all shows them)"


def _tree(layers: Iterable[LayerFact], indent: str) -> Iterator[str]:
    for layer in layers:
        notes = ["custom"] if layer.custom else []
        notes += ["frozen"] if layer.trainable is False else []
        notes += [f"{layer.arrays} arrays"] if layer.arrays else []
        said = " (" + ", ".join(notes) + ")" if notes else ""
        yield f"{indent}{layer.name or '-'}: {layer.class_name}{said}"
        yield from _tree(layer.layers, indent + "  ")


def _size(count: int) -> str:
    size, unit = float(count), 0
    while size >= 1000 and unit < len(_UNITS) - 1:
        size, unit = size / 1000, unit + 1
    return f"{size:.0f} {_UNITS[unit]}" if unit == 0 else f"{size:.1f} {_UNITS[unit]}"


def _short(value: object) -> str:
    said = value if isinstance(value, str) else json.dumps(value)
    return said if len(said) <= 100 else said[:99] + "…"
