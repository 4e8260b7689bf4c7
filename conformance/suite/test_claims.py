"""Chapter claims: what an implementation says it can do."""

from __future__ import annotations

from pathlib import Path

from conformance.protocol.session import Session
from conformance.spec import Specification
from conformance.suite.case import requirement
from conformance.suite.compare import assert_equal
from conformance.suite.probes import PROBES, has


@requirement("claims.honest")
def test_each_capability_is_claimed_if_and_only_if_it_is_there(impl: Session, scratch: Path, spec: Specification):
    claims = set(impl.hello.capabilities)
    assert_equal([], sorted(claims - set(spec.capabilities)), "claims that are no capabilities")
    found = {capability: has(impl, capability, scratch) for capability in PROBES}

    assert_equal([], [name for name, works in found.items() if works and name not in claims], "there, yet not claimed")
    assert_equal(
        [], [name for name, works in found.items() if works is False and name in claims], "claimed, yet not there"
    )


@requirement("claims.honest")
def test_layer_families_are_claimed_by_their_classes(impl: Session, spec: Specification):
    families = {name.removeprefix("layers.") for name in spec.capabilities if name.startswith("layers.")}
    assert_equal([], sorted(set(impl.hello.layers) - families), "families that are none")

    claimed = {family for family in families if f"layers.{family}" in impl.hello.capabilities}

    assert_equal({family for family, classes in impl.hello.layers.items() if classes}, claimed, "families claimed")
