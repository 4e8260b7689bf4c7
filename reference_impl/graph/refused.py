"""Ops that are never run: they touch files or the network, or run code that is not part of the graph.

A function that reaches one is refused when it is planned, before anything of it runs.
"""

from __future__ import annotations

_FILES = "reads or writes files"
_PYTHON = "runs Python of the process that wrote the graph"
_OUTSIDE = "reads data from outside of the graph"
_DEVICE = "runs on a GPU only"
_OLD_LOOP = "is part of a loop of TensorFlow 1 of which other parts are missing or not as expected"

REASONS: dict[str, str] = {
    **dict.fromkeys(
        (
            "ReadFile",
            "WriteFile",
            "MatchingFiles",
            "Save",
            "SaveSlices",
            "SaveV2",
            "Restore",
            "RestoreSlice",
            "RestoreV2",
            "MergeV2Checkpoints",
            "FixedLengthRecordReaderV2",
            "IdentityReaderV2",
            "TextLineReaderV2",
            "TFRecordReaderV2",
            "WholeFileReaderV2",
        ),
        _FILES,
    ),
    **dict.fromkeys(("PyFunc", "PyFuncStateless", "EagerPyFunc"), _PYTHON),
    **dict.fromkeys(
        ("IteratorGetNext", "IteratorV2", "MakeIterator", "ReaderReadV2", "QueueDequeueV2", "Recv", "Send"), _OUTSIDE
    ),
    **dict.fromkeys(("CudnnRNN", "CudnnRNNBackprop", "CudnnRNNV2", "CudnnRNNV3"), _DEVICE),
    **dict.fromkeys(("Enter", "Exit", "NextIteration", "LoopCond"), _OLD_LOOP),
}
"""Why, by op."""
