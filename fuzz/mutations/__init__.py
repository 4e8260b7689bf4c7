"""What is done to a case: its bytes, or the parts that its format has; here, which changes fit which reader.

========  =================================================================
raw       bytes
texts     JSON
protobuf  messages
tables    a checkpoint's index
hdf5      attributes, datasets, groups, links
archives  members of a zip archive
========  =================================================================

A change of bytes is *raw*: where a checksum covers it, it must be noticed. The others lay the parts together again, with
checksums that fit, and so get to what is behind them.
"""

from __future__ import annotations

from fuzz.mutations.archives import zip_archive, zip_members
from fuzz.mutations.hdf5 import hdf5_config, hdf5_file
from fuzz.mutations.protobuf import message, metadata_texts
from fuzz.mutations.raw import Mutation, some_bytes
from fuzz.mutations.tables import table_blocks, table_entries
from fuzz.mutations.texts import json_text
from reference_impl.formats import messages

__all__ = [
    "ARCHIVE",
    "BUNDLE",
    "GRAPH",
    "HDF5",
    "SAVED_MODEL",
    "TABLE",
    "TEXT",
    "Mutation",
    "hdf5_config",
    "metadata_texts",
    "zip_members",
]

_SAVED_MODEL, _METADATA, _INDEX = "saved_model.pb", "keras_metadata.pb", ".index"

RAW = Mutation("bytes", some_bytes, raw=True)
TABLE = (RAW, Mutation("entries", table_entries, _INDEX), Mutation("blocks", table_blocks, _INDEX))
BUNDLE = (*TABLE, Mutation("data", some_bytes, "-of-00001", raw=True))
GRAPH = (
    RAW,
    Mutation("message", message(lambda: messages.SavedModel), _SAVED_MODEL),
    Mutation("functions", message(lambda: messages.SavedModel, "graph_def"), _SAVED_MODEL),
    Mutation("functions", message(lambda: messages.SavedModel, "graph_def"), _SAVED_MODEL),
    Mutation("objects", message(lambda: messages.SavedModel, "object_graph_def"), _SAVED_MODEL),
    Mutation("entries", table_entries, _INDEX),
)
SAVED_MODEL = (
    *GRAPH,
    Mutation("metadata", message(lambda: messages.KerasMetadata), _METADATA),
    Mutation("metadata", message(lambda: messages.KerasMetadata), _METADATA),
)
TEXT = (RAW, Mutation("json", json_text), Mutation("json", json_text), Mutation("json", json_text))
HDF5 = (RAW, Mutation("objects", hdf5_file), Mutation("objects", hdf5_file))
ARCHIVE = (RAW, Mutation("members", zip_archive), Mutation("members", zip_archive))
