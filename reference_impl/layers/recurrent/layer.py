"""A cell and its loop as one layer."""

from __future__ import annotations

import inspect
from functools import cache
from typing import Any, ClassVar, Self

from reference_impl import regularizers
from reference_impl.layers.recurrent.base import RNN
from reference_impl.layers.recurrent.cell import Cell


class CellLayer(RNN):
    """The loop around a cell of ``cell_class``, with the arguments of both; the cell's are attributes here too."""

    cell_class: ClassVar[type[Cell]]

    def __init__(self, *args: Any, activity_regularizer: Any = None, **kwargs: Any) -> None:
        names = _arguments(self.cell_class)
        own = dict(zip(names, args, strict=False))
        own.update({name: kwargs.pop(name) for name in names if name in kwargs})
        if len(args) > len(names) or names[0] not in own:
            raise TypeError(f"{type(self).__name__}() takes {names[0]!r} first, then as many of {names[1:]}")
        kwargs.pop("implementation", None)
        cell = self.cell_class(**own, dtype=kwargs.get("dtype"), trainable=kwargs.get("trainable", True))
        super().__init__(cell, activity_regularizer=activity_regularizer, **kwargs)

    def __getattr__(self, name: str) -> Any:
        # Only what is found nowhere else comes here.
        cell = self.__dict__.get("cell")
        if cell is not None and name in _arguments(self.cell_class):
            return getattr(cell, name)
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        del config["cell"]
        own = self.cell.get_config()
        for key in ("name", "trainable", "dtype"):
            del own[key]
        return {
            **config,
            **own,
            "activity_regularizer": regularizers.serialize(getattr(self, "activity_regularizer", None)),
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Self:
        # 0 was another order of the same sums.
        if config.get("implementation") == 0:
            config = {**config, "implementation": 1}
        return cls(**config)


@cache
def _arguments(cell_class: type[Cell]) -> tuple[str, ...]:
    """The arguments of the cell's constructor and of those it passes on to, the cell's own first."""
    found: dict[str, None] = {}
    for owner in cell_class.__mro__:
        if issubclass(owner, Cell) and "__init__" in owner.__dict__:
            parameters = list(inspect.signature(owner.__dict__["__init__"]).parameters.values())[1:]
            found.update({p.name: None for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD})
    return tuple(found)
