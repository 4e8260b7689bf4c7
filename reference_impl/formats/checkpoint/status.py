"""What became of a restore; asked for when the objects that were to be made are made."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, Self

_LISTED = 10  # names in a message


class Outcome(Protocol):
    """What a status asks a restore. ``name`` is the checkpoint's prefix; keys are as they stand in the file."""

    name: str
    misplaced: list[str]

    def unused_keys(self) -> Sequence[str]: ...
    def unmatched_objects(self) -> Sequence[str]: ...
    def gave_anything(self) -> bool: ...
    def matched_anything(self) -> bool: ...


class LoadStatus:
    """What became of a restore by the object graph.

    Each assertion returns the status, so that ``model.load_weights(path).assert_consumed()`` can be kept.
    """

    def __init__(self, restoration: Outcome) -> None:
        self._restoration = restoration

    def assert_consumed(self) -> Self:
        """``AssertionError`` unless every stored value found its object and every variable its value."""
        self._assert_none("stored values that no object took", self._restoration.unused_keys())
        return self.assert_existing_objects_matched()

    def assert_existing_objects_matched(self) -> Self:
        """``AssertionError`` unless every variable there is now got its value; unused values are no matter."""
        self._assert_none("objects that got no value", self._restoration.unmatched_objects())
        return self

    def assert_nontrivial_match(self) -> Self:
        """``AssertionError`` if nothing but the root object matched."""
        if not self._restoration.matched_anything():
            stored = ", ".join(self._restoration.unused_keys()[:_LISTED]) or "no values"
            raise AssertionError(
                f"{self._restoration.name}: nothing except the root object matched; the checkpoint holds {stored}; "
                "load it into the object it was saved from"
            )
        return self

    def expect_partial(self) -> Self:
        """Say that unused values are meant to be unused. Nothing here complains about them unasked."""
        return self

    def initialize_or_restore(self, session: Any = None) -> None:
        """Nothing to do: values are restored at once, and variables initialized when they are made."""

    def run_restore_ops(self, session: Any = None) -> None:
        """Nothing to do: values are restored at once."""

    def unfilled(self) -> list[str]:
        """Paths of the variables there are now that got no value; an optimizer's may come with its first step."""
        return [path for path in self._restoration.unmatched_objects() if path.partition("/")[0] != "optimizer"]

    @property
    def misplaced(self) -> bool:
        """Whether layers by place did not correspond, and nothing at all was restored."""
        return bool(self._restoration.misplaced) and not self._restoration.gave_anything()

    def _assert_none(self, what: str, names: Sequence[str]) -> None:
        if names:
            more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
            raise AssertionError(f"{self._restoration.name}: {len(names)} {what}: {', '.join(names[:_LISTED])}{more}")


class NameBasedStatus(LoadStatus):
    """What became of a restore by the names of variables.

    Such a checkpoint says nothing of objects: all assertions are one, that every variable there is got its value.
    Stored values that no variable has the name of are no matter.
    """

    def assert_consumed(self) -> Self:
        """``AssertionError`` unless every variable there is now got its value."""
        return self.assert_existing_objects_matched()

    def assert_nontrivial_match(self) -> Self:
        """``AssertionError`` unless every variable there is now got its value."""
        return self.assert_existing_objects_matched()


class NothingRestored:
    """The status of ``restore(None)``: there was no checkpoint yet, and every assertion fails."""

    def _refuse(self) -> Self:
        raise AssertionError("No checkpoint specified (save_path=None); nothing is being restored")

    assert_consumed = assert_existing_objects_matched = assert_nontrivial_match = _refuse

    def run_restore_ops(self, session: Any = None) -> None:
        """``AssertionError``: there is nothing to restore from."""
        self._refuse()

    def initialize_or_restore(self, session: Any = None) -> None:
        """Nothing to do: variables are initialized when they are made."""

    def expect_partial(self) -> Self:
        """Nothing to say."""
        return self
