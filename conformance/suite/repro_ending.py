"""How a script ends: with the implementation's own error, or with an AssertionError that shows the difference.

What a test compares is decided in the suite, and a script has nothing of it. Where the two sides are known as answers
of operations, the script compares them itself. Otherwise it looks at the last thing the test looked at, and fails if
it is what the implementation answered when the test failed. Each ending is a rule of :data:`_ENDINGS`; the first that
fits is taken.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeGuard

import numpy as np

from conformance.adapters.encoding import EncodingError, decode_array, decode_number
from conformance.protocol.errors import AdapterCrash, Refused
from conformance.suite.compare import Array, Mismatch
from conformance.suite.repro_recorder import Turn
from conformance.suite.repro_source import Leaf, NotPrintable, Script, array_source, leaves

# So many parts of an answer are compared; of more, the first.
COMPARED = 12


@dataclass(frozen=True)
class Ending:
    """The statements after the last operation, and what the script ends with: an exception and what its text has.

    ``turns`` are the operations to be said again; ``heard`` wants what the library says in the last of them.
    """

    turns: tuple[Turn, ...]
    lines: tuple[str, ...]
    exception: str
    text: str
    heard: bool = False


def ending_of(script: Script, failure: BaseException) -> Ending:
    """How the script ends that shows this failure. Raises NotPrintable."""
    turns = script.conversation.turns
    if isinstance(failure, Refused | AdapterCrash):
        last = next((turn.number for turn in turns if turn.failure is failure), len(turns) - 1)
        exception, text = (failure.exception, failure.text) if isinstance(failure, Refused) else ("crash", "")
        return Ending(turns[: last + 1], (), exception, text)
    if not isinstance(failure, AssertionError):
        raise NotPrintable(f"a failure of the kind {type(failure).__name__} cannot be told in a script")
    told = _turns_told(turns)
    for ending in _ENDINGS:
        found = ending(script, told, failure)
        if found is not None:
            return found
    raise NotPrintable("what the test compared is not among the answers of the implementation")


def _turns_told(turns: Sequence[Turn]) -> tuple[Turn, ...]:
    """Without the scopes that the test left after it had failed."""
    last = len(turns)
    while last and turns[last - 1].operation == "exit_scope":
        last -= 1
    return tuple(turns[:last])


def _asserted(turns: Sequence[Turn], lines: Sequence[str], failure: AssertionError, *, heard: bool = False) -> Ending:
    return Ending(tuple(turns), tuple(lines), "AssertionError", what_of(failure), heard)


def what_of(failure: BaseException) -> str:
    """What the test was about, in one line."""
    return failure.what if isinstance(failure, Mismatch) else (str(failure) or "the assertion failed").splitlines()[0]


def _message(failure: AssertionError) -> str:
    if not isinstance(failure, Mismatch):
        return repr(what_of(failure))
    return repr(f"{failure.what}\n  expected: {failure.expected}\n  found:    {failure.actual}")


def _no_error(script: Script, turns: Sequence[Turn], failure: AssertionError) -> Ending | None:
    if not (isinstance(failure, Mismatch) and failure.actual.startswith("no error; ")):
        return None
    lines = [f"raise AssertionError({f'{failure.what}: expected {failure.expected}, there was none'!r})"]
    return _asserted(turns, lines, failure)


def _another_error(script: Script, turns: Sequence[Turn], failure: AssertionError) -> Ending | None:
    if not isinstance(failure, Mismatch) or not turns or not isinstance(turns[-1].failure, Refused):
        return None
    name = f"refusal_{turns[-1].number}"
    if failure.what.endswith(": another kind of error"):
        classes = "{cls.__name__ for cls in type(" + name + ").__mro__}"
        wrong = f"{classes}.isdisjoint({failure.expected.split(' or ')!r})"
    elif failure.what.endswith(": the error does not say what it is about"):
        pattern = failure.expected.removeprefix("a text that matches /").removesuffix("/")
        wrong = f"not re.search({pattern!r}, str({name}))"
    else:
        return None
    return _asserted(turns, [f"if {wrong}:", f"    raise AssertionError({_message(failure)}) from {name}"], failure)


def _heard(script: Script, turns: Sequence[Turn], failure: AssertionError) -> Ending | None:
    if not isinstance(failure, Mismatch):
        return None
    found = re.match(r"(no|a) message that matches /(.*)/$", failure.expected, re.DOTALL)
    if found is None:
        return None
    unwanted, pattern = found[1] == "no", found[2]
    if unwanted:
        talking = [turn.number for turn in turns if any(re.search(pattern, one.text) for one in turn.messages)]
        turns = [turn for turn in turns if turn.number <= talking[-1]] if talking else turns
    condition = f"{'' if unwanted else 'not '}re.search({pattern!r}, said)"
    told = f"{failure.what}: expected {failure.expected!r}, heard "
    lines = ['said = "\\n".join([*heard, printed.getvalue()])', f"if {condition}:"]
    lines += [f"    raise AssertionError({told!r} + repr(said))"]
    return _asserted(turns, lines, failure, heard=True)


def _arrays(script: Script, turns: Sequence[Turn], failure: AssertionError) -> Ending | None:
    if not isinstance(failure, Mismatch):
        return None
    first, second, tolerance = failure.sides.expected, failure.sides.actual, failure.sides.tolerance
    if not (_is_array(first) and _is_array(second)):
        return None
    actual = _where(script, reversed(turns), second)
    if actual is None:
        return None
    expected = _where(script, [turn for turn in turns if turn.number != actual[0]], first)
    other = expected[1] if expected else array_source(first)
    what = repr(what_of(failure))
    lines = [f"expected, actual = {other}, {actual[1]}"]
    if (first.shape, first.dtype) != (second.shape, second.dtype):
        lines += [f"assert (actual.shape, actual.dtype) == (expected.shape, expected.dtype), {what}"]
    elif tolerance:
        lines += [f"allowed = {tolerance} * max(1.0, float(np.max(np.abs(expected), initial=0.0)))"]
        lines += [f"np.testing.assert_allclose(actual, expected, rtol=0, atol=allowed, err_msg={what})"]
    else:
        lines += [f"np.testing.assert_array_equal(actual, expected, err_msg={what})"]
        lines += [f"assert actual.tobytes() == expected.tobytes(), {what}"]
    return _asserted(turns, lines, failure)


def _is_array(value: Any) -> TypeGuard[Array]:
    return isinstance(value, np.ndarray)


def _where(script: Script, turns: Any, array: Any) -> tuple[int, str] | None:
    """The operation that answered this very array, and the expression for it."""
    for turn in turns:
        for leaf in leaves(turn):
            if _holds(script, leaf, array):
                return turn.number, leaf.expression if leaf.is_array else f"np.array({leaf.expression}, np.float64)"
    return None


def _holds(script: Script, leaf: Leaf, array: Any) -> bool:
    try:
        if leaf.is_array:
            found = decode_array(leaf.answer, script.conversation.arrays)
        elif array.shape == () and not isinstance(leaf.answer, list):
            found = np.array(decode_number(leaf.answer), np.float64)
        else:
            return False
    except (EncodingError, OSError, TypeError, ValueError):
        return False
    return (found.shape, found.dtype) == (array.shape, array.dtype) and found.tobytes() == array.tobytes()


def _value(script: Script, turns: Sequence[Turn], failure: AssertionError) -> Ending | None:
    """The value of one part of the last answers, where only one part has it."""
    if not isinstance(failure, Mismatch) or not _is_plain(failure.sides.expected):
        return None
    actual, expected = failure.sides.actual, failure.sides.expected
    seen = _last_seen(turns)
    holding = [leaf for leaf in leaves(seen) if not leaf.is_array and leaf.answer == actual] if seen else []
    if len(holding) != 1 or type(holding[0].answer) is not type(actual):
        return None
    message = f"{_message(failure)}"
    lines = [f"found = {holding[0].expression}", f"assert found == {expected!r}, {message}"]
    return _asserted(turns, lines, failure)


def _is_plain(value: Any) -> bool:
    return isinstance(value, str | int | float | bool | list | dict | None)


def _pinned(script: Script, turns: Sequence[Turn], failure: AssertionError) -> Ending | None:
    seen = _last_seen(turns)
    if seen is None:
        return None
    parts: list[tuple[str, str]] = []
    for leaf in leaves(seen)[:COMPARED]:
        try:
            literal = script.array(leaf.answer) if leaf.is_array else script.printer.value(leaf.answer)
        except (NotPrintable, ValueError, TypeError, KeyError):
            continue
        parts.append((leaf.expression, literal))
    if not parts:
        return None
    lines = ["# What there is, and must not be as it is: the test found this, and it is wrong.", "found = ["]
    lines += [f"    {expression}," for expression, _ in parts]
    lines += ["]", "wrong = [", *(f"    {literal}," for _, literal in parts), "]"]
    lines += ["try:", "    np.testing.assert_equal(found, wrong)", "except AssertionError:"]
    lines += ['    print("The fault is not there. Found:", found)', "else:"]
    lines += [f"    raise AssertionError({_message(failure)})"]
    return _asserted(turns, lines, failure)


def _last_seen(turns: Sequence[Turn]) -> Turn | None:
    return next((turn for turn in reversed(turns) if leaves(turn)), None)


_ENDINGS: tuple[Callable[[Script, Sequence[Turn], AssertionError], Ending | None], ...] = (
    _no_error,
    _another_error,
    _heard,
    _arrays,
    _value,
    _pinned,
)
