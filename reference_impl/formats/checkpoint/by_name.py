"""Checkpoints without an object graph (``tf.compat.v1.train.Saver``): values found by the names of variables.

The key of a value is the variable's own name without ``:0``, for example ``dense/kernel``. So it is restored only
where names are what they were when it was saved.
"""

# pyright: reportPrivateUsage=false

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

from reference_impl.errors import LoadError
from reference_impl.formats.checkpoint.bundle import Bundle
from reference_impl.formats.checkpoint.object_graph import walk
from reference_impl.formats.checkpoint.restore import likeness
from reference_impl.formats.checkpoint.status import NameBasedStatus
from reference_impl.tracking import Trackable


class NameRestoration:
    """One such checkpoint being restored into the objects below ``root``, now and as they are made."""

    def __init__(self, bundle: Bundle, name: str, root: Trackable) -> None:
        self.root = root
        self.name = name
        self.misplaced: list[str] = []
        self._bundle = bundle
        self._given: set[int] = set()

    def __deepcopy__(self, memo: object) -> Self:
        return self

    def start(self) -> NameBasedStatus:
        """Restore what exists. Raises ``LoadError``, with nothing changed, if a value is damaged or does not fit."""
        self._bundle.verify(self._bundle.entries)
        self._restore(self.root)
        names = self.unmatched_objects()
        if names and not self._given:
            raise LoadError(
                f"{self.name}: found no object graph and none of the names {', '.join(names[:4])}, …; expected a "
                f"checkpoint of these objects, or one with these names; it has {', '.join([*self._bundle.entries][:4])}, …"
            )
        return NameBasedStatus(self)

    def match(self, trackable: Trackable, node_id: int) -> bool:
        """Look at ``trackable`` again, which has new edges. Never done: any variable may still be made."""
        self._restore(trackable, verify=True)
        return False

    def _restore(self, top: Trackable, verify: bool = False) -> None:
        nodes = [node.trackable for node in walk(top)]
        found = [
            (trackable, attribute, saved.full_name)
            for trackable in nodes
            if trackable._identity() not in self._given
            for attribute, saved in trackable._checkpoint_values().items()
            if saved.full_name in self._bundle.entries
        ]
        for trackable, attribute, key in found:
            entry = self._bundle.entries[key]
            reason = trackable._check_value(attribute, likeness(entry.dtype, entry.shape))
            if reason is not None:
                raise LoadError(f"{self.name}: {key}: {reason}; nothing was restored")
        if verify:
            self._bundle.verify(key for _, _, key in found)
        for trackable, attribute, key in found:
            trackable._restore_value(attribute, self._bundle.tensor(key, copy=False))
            self._given.add(trackable._identity())
        for trackable in nodes:
            trackable._await_restore(self, 0)

    # -- what the status asks ------------------------------------------------------------------------------

    def unused_keys(self) -> Sequence[str]:
        """None: what no variable has the name of may belong to a part that is not wanted."""
        return ()

    def unmatched_objects(self) -> Sequence[str]:
        """Names of present variables that got no value."""
        return [
            saved.full_name
            for node in walk(self.root)
            if node.trackable._identity() not in self._given
            for saved in node.trackable._checkpoint_values().values()
        ]

    def gave_anything(self) -> bool:
        """Whether any variable took a value."""
        return bool(self._given)

    def matched_anything(self) -> bool:
        """Whether any variable took a value."""
        return bool(self._given)
