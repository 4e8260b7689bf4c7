"""The wrong format, the wrong file, the wrong folder."""

from __future__ import annotations

import shutil
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from conformance.mutants.mutant import mutant

SAVING = "reference_impl.saving"
LOADING = "reference_impl.loading"
CHOOSE = f"{SAVING}:_choose"
HDF5, TENSORFLOW = "HDF5", "TensorFlow"


def _suffix(path: Any) -> str:
    return Path(str(path)).suffix.lower()


@mutant("model.default-format", "weights-file.default", target=CHOOSE)
def default_is_hdf5(original: Any, path: Any, save_format: Any) -> Any:
    """Given nothing to go by, saving writes HDF5."""
    found = original(path, save_format)
    return HDF5 if save_format is None and found == TENSORFLOW else found


@mutant("model.format-argument[hdf5]", "weights-file.format-argument[hdf5]", target=CHOOSE)
def format_argument_is_ignored(original: Any, path: Any, save_format: Any) -> Any:
    """The suffix alone decides, whatever save_format says."""
    return original(path, None)


@mutant("model.format-argument[savedmodel]", "weights-file.format-argument[checkpoint]", target=CHOOSE)
def format_argument_means_hdf5(original: Any, path: Any, save_format: Any) -> Any:
    """Any save_format at all makes HDF5."""
    return original(path, save_format) if save_format is None else HDF5


@mutant("model.argument-against-suffix", target=CHOOSE)
def suffix_beats_the_argument(original: Any, path: Any, save_format: Any) -> Any:
    """A save_format that contradicts the suffix is passed over in silence."""
    return original(path, None if _suffix(path) == ".h5" else save_format)


@mutant("model.format-suffix", target=CHOOSE)
def keras_is_no_suffix_of_hdf5(original: Any, path: Any, save_format: Any) -> Any:
    """A path that ends in .keras gives a SavedModel folder."""
    return TENSORFLOW if _suffix(path) == ".keras" and save_format is None else original(path, save_format)


@mutant("model.format-suffix-v3[keras]", target=CHOOSE, dialect="keras-2.15")
def keras_is_still_hdf5(original: Any, path: Any, save_format: Any) -> Any:
    """A path that ends in .keras gives HDF5, as it did in the generation before."""
    return HDF5 if _suffix(path) == ".keras" else original(path, save_format)


@mutant("model.format-suffix-v3[hdf5]", target=CHOOSE, dialect="keras-3")
def h5_is_no_suffix_any_more(original: Any, path: Any, save_format: Any) -> Any:
    """A path that ends in .h5 gives the new archive."""
    is_whole = not str(path).endswith(".weights.h5") and _suffix(path) == ".h5"
    return "Keras v3" if is_whole else original(path, save_format)


@mutant("model.format-required", target=f"{SAVING}:save_model", dialect="keras-3")
def any_path_is_an_archive(original: Any, model: Any, path: Any, *args: Any, **kwargs: Any) -> Any:
    """A path without a known suffix gets one, and is not refused."""
    known = isinstance(path, str) and _suffix(path) not in (".keras", ".h5")
    original(model, f"{path}.keras" if known else path, *args, **kwargs)


@mutant("weights-file.suffix[hdf5]", target=CHOOSE)
def hdf5_suffix_is_h5_alone(original: Any, path: Any, save_format: Any) -> Any:
    """A path that ends in .hdf5 gives a checkpoint."""
    return TENSORFLOW if _suffix(path) == ".hdf5" else original(path, save_format)


@mutant("weights-file.suffix[checkpoint]", target=CHOOSE)
def any_suffix_means_hdf5(original: Any, path: Any, save_format: Any) -> Any:
    """Whatever has a suffix is a file, and a file is HDF5."""
    return HDF5 if save_format is None and _suffix(path) else original(path, save_format)


@mutant("weights-file.suffix-v3", target=CHOOSE, dialect="keras-2.15")
def weights_h5_is_still_hdf5(original: Any, path: Any, save_format: Any) -> Any:
    """A path that ends in .weights.h5 gives the file of the generation before."""
    return HDF5 if str(path).endswith(".weights.h5") else original(path, save_format)


@mutant("weights-file.suffix-required", target=CHOOSE, dialect="keras-3")
def any_suffix_will_do_for_weights(original: Any, path: Any, save_format: Any) -> Any:
    """Weights are written to any path."""
    return "Keras v3" if _suffix(path) != ".keras" else original(path, save_format)


@mutant("model.creates-parents[hdf5]", target="reference_impl.formats.files:replacing")
@contextmanager
def hdf5_makes_no_folders(original: Any, path: Path) -> Generator[Any]:
    """Saving below a folder that does not exist fails."""
    if not Path(path).parent.exists():
        raise FileNotFoundError(f"{path}: no such folder")
    with original(path) as temporary:
        yield temporary


@mutant("model.creates-parents[savedmodel]", target="reference_impl.formats.savedmodel.write.folder:replacing_folder")
@contextmanager
def savedmodel_makes_no_folders(original: Any, path: Path) -> Generator[Any]:
    """Saving below a folder that does not exist fails."""
    if not Path(path).parent.exists():
        raise FileNotFoundError(f"{path}: no such folder")
    with original(path) as temporary:
        yield temporary


@mutant("savedmodel.layout", target="reference_impl.formats.savedmodel.write.folder:write_model")
def savedmodel_without_assets(original: Any, path: Path, *args: Any) -> Any:
    """A folder for assets is there only where there are some."""
    original(path, *args)
    shutil.rmtree(Path(path) / "assets")


@mutant("savedmodel.layout", target="reference_impl.formats.savedmodel.write.folder:write_model")
def savedmodel_with_another_name(original: Any, path: Path, *args: Any) -> Any:
    """The file is called saved_model.pbtxt."""
    original(path, *args)
    (Path(path) / "saved_model.pb").rename(Path(path) / "saved_model.pbtxt")


@mutant("hdf5.single-file", target="reference_impl.saving:save_model")
def hdf5_with_a_file_beside_it(original: Any, model: Any, path: Any, *args: Any, **kwargs: Any) -> Any:
    """The compile information is in a file of its own, and so lost when the model is moved."""
    original(model, path, *args, **kwargs)
    if str(path).endswith(".h5"):
        Path(f"{path}.json").write_text("{}", encoding="utf-8")


@mutant("hdf5.single-file", target="reference_impl.formats.hdf5.model:_training_config")
def hdf5_without_compile_information(original: Any, model: Any) -> Any:
    """The file holds architecture and weights, and nothing of what was given to compile()."""
    return None


@mutant("hdf5-weights.grouped", target="reference_impl.formats.hdf5.weights:write_weights")
def hdf5_groups_by_number(original: Any, group: Any, model: Any) -> Any:
    """Groups are numbered, and not named after their layers."""
    names = {layer: layer.name for layer in model.layers}
    for place, layer in enumerate(names):
        layer._name = f"layer_{place}"
    try:
        original(group, model)
    finally:
        for layer, name in names.items():
            layer._name = name


@mutant("hdf5-weights.grouped-v3", target="reference_impl.formats.keras_v3.walk:snake_case", dialect="keras-2.15")
def v3_groups_without_underscores(original: Any, name: str) -> Any:
    """Groups are named after the class in small letters, without the underscores of snake case."""
    return original(name).replace("_", "")


@mutant("checkpoint.side-by-side", target="reference_impl.checkpoint_api:Checkpoint.save")
def checkpoint_save_does_not_count(original: Any, self: Any, file_prefix: Any) -> Any:
    """Checkpoint.save(prefix) writes at the prefix itself."""
    return self.write(file_prefix)


@mutant("checkpoint.side-by-side", target="reference_impl.formats.checkpoint.writing:data_files")
def checkpoint_tidies_its_folder(original: Any, prefix: Any) -> Any:
    """Writing a checkpoint removes the data of every other one in the folder."""
    return iter(list(Path(prefix).parent.glob("*.data-*")))


@mutant("checkpoint.attribute-not-variable-name", target="reference_impl.tracking:Trackable._checkpoint_children")
def checkpoint_goes_by_variable_names(original: Any, self: Any) -> Any:
    """Values are stored under the names of their variables, and not of the attributes that hold them."""
    from reference_impl.variables import Variable

    return [
        (child.name.removesuffix(":0") if isinstance(child, Variable) and name != "save_counter" else name, child)
        for name, child in original(self)
    ]


@mutant("checkpoint.status-object", target="reference_impl.formats.checkpoint.status:LoadStatus.assert_consumed")
def assert_consumed_returns_a_new_status(original: Any, self: Any) -> Any:
    """assert_consumed() gives back another status than the one it was asked of."""
    return type(self)(original(self)._restoration)


@mutant("checkpoint.status-object", target=f"{LOADING}:_load_checkpoint")
def load_weights_returns_nothing(original: Any, *args: Any) -> Any:
    """load_weights() of a checkpoint returns None, as that of HDF5 does."""
    original(*args)
