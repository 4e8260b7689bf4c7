"""Files that are cut, changed or mixed up, and read as if nothing were wrong with them."""

from __future__ import annotations

from typing import Any

from conformance.mutants.mutant import mutant

BUNDLE = "reference_impl.formats.checkpoint.bundle:Bundle"
STORED = "reference_impl.formats.hdf5.stored"
WEIGHTS = "reference_impl.formats.hdf5.weights"
CHECKS = (f"{BUNDLE}.__init__", f"{BUNDLE}.verify")


def _without_checksums(original: Any, self: Any, *args: Any, **kwargs: Any) -> None:
    if original.__name__ == "__init__":
        original(self, *args, **{**kwargs, "verify": False})


@mutant("damage.flipped-weights", "damage.swapped", target=CHECKS)
def checksums_of_checkpoints_are_not_looked_at(original: Any, self: Any, *args: Any, **kwargs: Any) -> Any:
    """The checksums of tensors are read and not compared."""
    _without_checksums(original, self, *args, **kwargs)


@mutant("damage.truncated-weights[checkpoint]", target="reference_impl.loading:_load_checkpoint")
def cut_checkpoints_leave_weights_fresh(original: Any, *args: Any) -> Any:
    """A checkpoint that cannot be read to its end is taken for one that holds nothing of the model."""
    from reference_impl.errors import LoadError

    try:
        return original(*args)
    except LoadError:
        return None


@mutant(
    "damage.truncated-model[hdf5]", "damage.truncated-model[savedmodel]", target="reference_impl.loading:load_model"
)
def cut_files_are_empty_models(original: Any, *args: Any, **kwargs: Any) -> Any:
    """A file that cannot be read to its end gives a model of no layers."""
    from reference_impl.errors import LoadError
    from reference_impl.models import Sequential

    try:
        return original(*args, **kwargs)
    except LoadError:
        return Sequential()


@mutant("damage.flipped-model", target="reference_impl.formats.keras_v3.archive:_member", dialect="keras-2.15")
def checksums_of_archives_are_not_looked_at(original: Any, archive: Any, name: str, *args: Any) -> Any:
    """A member of an archive is read without its checksum."""
    with archive.open(name) as member:
        member._expected_crc = None
        return member.read()


@mutant("damage.missing[hdf5]", target=(f"{STORED}:_layer", f"{WEIGHTS}:_pair_layer"))
def missing_weights_stay_fresh(original: Any, first: Any, second: Any, *args: Any) -> Any:
    """A layer of which a weight is missing in the file keeps the values that it has."""
    from reference_impl.errors import LoadError

    if original.__name__ == "_layer":
        names, place = args
        return original(first, second, [name for name in names if name in first], place)
    try:
        return original(first, second, *args)
    except LoadError:
        return []


@mutant("damage.wrong-kind[hdf5]", "open.late-mismatch[hdf5]", target=f"{WEIGHTS}:_pair_layer")
def hdf5_passes_over_what_does_not_fit(original: Any, *args: Any) -> Any:
    """A layer whose weights do not fit is left as it is, without a word."""
    from reference_impl.errors import LoadError

    try:
        return original(*args)
    except LoadError:
        return []


@mutant("damage.more[hdf5]", target=f"{STORED}:read_layers")
def unknown_attributes_are_refused(original: Any, group: Any, place: str) -> Any:
    """A file with an attribute of a later version is not read at all."""
    from reference_impl.errors import LoadError

    known = ("layer_names", "backend", "keras_version", "nb_layers", "model_config", "training_config")
    strange = [name for name in group.attrs if not name.startswith(known)]
    if strange:
        raise LoadError(f"{place}: unknown attributes {strange}")
    return original(group, place)


@mutant("damage.no-text", target="reference_impl.formats.hdf5.model:read_text")
def what_is_no_text_is_not_there(original: Any, *args: Any) -> Any:
    """Compile information that cannot be read is taken for none."""
    try:
        return original(*args)
    except ValueError:
        return None
