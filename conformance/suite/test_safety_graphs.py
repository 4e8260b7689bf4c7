"""Chapter safety: graphs that would touch files, and graphs without end; each beside a harmless one that must run."""

from __future__ import annotations

from pathlib import Path

from conformance.protocol.session import Session
from conformance.suite import handmade_graphs as graphs
from conformance.suite.case import requirement
from conformance.suite.compare import Mismatch, assert_true
from conformance.suite.payloads import Marker
from conformance.suite.refusals import assert_refuses, attempted

_T = graphs.a_type(graphs.FLOAT)

_RUN = """
loaded = tf.saved_model.load({folder!r})
found = loaded.signatures["serving_default"](x=tf.constant(np.arange(3, dtype="float32")))
print(",".join(str(float(value)) for value in np.asarray(found["y"])), end="")
"""


def run(impl: Session, folder: Path, scratch: Path) -> str:
    """The output of the folder's one signature for [0, 1, 2]."""
    return impl.run_source(_RUN.format(folder=str(folder)), "run.py", scratch)


def assert_the_harmless_one_runs(impl: Session, scratch: Path) -> None:
    folder = scratch / "harmless"
    graphs.write(folder, graphs.node("y", "Identity", "x", T=_T), output="y:0")
    found = run(impl, folder, scratch)
    assert_true(found == "0.0,1.0,2.0", "a hand-made graph that gives its input", expected="0.0,1.0,2.0", actual=found)


@requirement("safety.graph-io", formats=("savedmodel",))
def test_a_graph_writes_no_file(impl: Session, format: str, scratch: Path):
    assert_the_harmless_one_runs(impl, scratch)
    marker = Marker(scratch)
    graphs.write(
        scratch / "writing",
        graphs.constant("name", str(marker.path)),
        graphs.constant("contents", "written by a graph"),
        graphs.node("write", "WriteFile", "name", "contents"),
        graphs.node("y", "Identity", "x", "^write", T=_T),
        output="y:0",
    )
    attempted(lambda: run(impl, scratch / "writing", scratch))
    marker.assert_untouched("a graph was called")


@requirement("safety.graph-io", formats=("savedmodel",))
def test_a_graph_reads_no_file(impl: Session, format: str, scratch: Path):
    assert_the_harmless_one_runs(impl, scratch)
    outside = scratch / "outside.txt"
    outside.write_text("7", encoding="utf-8")
    graphs.write(
        scratch / "reading",
        graphs.constant("name", str(outside)),
        graphs.node("read", "ReadFile", "name"),
        graphs.node("number", "StringToNumber", "read", out_type=_T),
        graphs.node("y", "AddV2", "x", "number", T=_T),
        output="y:0",
    )
    found = attempted(lambda: run(impl, scratch / "reading", scratch))
    if found is not None:
        raise Mismatch("a graph that reads a file", "refused", f"it was run: {found}")


@requirement("safety.graph-cycle", formats=("savedmodel",))
def test_functions_without_end_are_refused(impl: Session, format: str, scratch: Path):
    assert_the_harmless_one_runs(impl, scratch)

    def call(name: str, argument: str, other: str) -> bytes:
        kinds = graphs.types(graphs.FLOAT)
        return graphs.node(name, "PartitionedCall", argument, Tin=kinds, Tout=kinds, f=graphs.a_function(other))

    ring = tuple(
        graphs.function(name, "a", "r", call("p", "a", other), returns="p:output:0")
        for name, other in (("one", "two"), ("two", "one"))
    )
    graphs.write(scratch / "ring", call("y", "x", "one"), output="y:0", functions=ring)
    assert_refuses(lambda: run(impl, scratch / "ring", scratch), "functions that call each other")
