"""Records for people: a line for a model that is as it should be, its reasons and differences for any other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from rich.text import Text

from conformance.checking.record import Difference, Examined, ModelRecord, Outcome, Pair, Verdict
from conformance.checking.results import Change, Document

STYLES = {Verdict.EQUAL: "green", Verdict.NOT_CLAIMED: "dim", Verdict.DIFFERENT: "yellow"}
CHANGES = {"worse": "red", "gone": "red", "better": "green", "changed": "yellow", "new": "dim"}
WIDTH = max(map(len, Verdict))
SHOWN = 4  # differences of one pair


def lines(record: ModelRecord) -> Iterator[Text]:
    """The lines about one model; one if all is well, or if there is nothing more to say."""
    head = Text.assemble((f"{record.verdict:{WIDTH}}", STYLES.get(record.verdict, "red")), "  ", record.path)
    about = record.problem or _about(record)
    head.append(f"  {about}" if about else "", "default" if record.problem else "dim")
    yield head
    for name, examined in record.implementations.items():
        yield from _implementation(name, examined)
    differing = [pair for pair in record.pairs if not pair.equal]
    for pair, alike in _clusters(record, differing):
        yield from _pair(pair, alike)
    if record.verdict is not Verdict.EQUAL:
        yield from (Text(f"    {note}", "dim") for note in record.notes)


def _about(record: ModelRecord) -> str:
    """What was compared, in short."""
    loaded = next((each for each in record.implementations.values() if each.weights), None)
    parts = [" ".join(filter(None, [record.format, record.writer and f"by Keras {record.writer}"]))]
    if loaded and loaded.weights:
        parts.append(f"{loaded.weights.count} weights")
        if loaded.optimizer:
            parts.append(f"optimizer at {loaded.optimizer.iterations}")
    errors = [pair.output_error for pair in record.pairs if pair.output_error is not None]
    if errors:
        parts.append(f"outputs within {max(errors):.1g}" if max(errors) else "outputs alike")
    return ", ".join(parts)


def _implementation(name: str, examined: Examined) -> Iterator[Text]:
    if examined.outcome in (Outcome.LOADED, Outcome.NOT_CLAIMED, Outcome.NOT_STARTED) and not examined.lost:
        return
    told = examined.outcome is Outcome.LOADED
    word = "told of a loss" if told else str(examined.outcome)
    yield Text.assemble(f"    {name}: ", (word, "yellow" if told else "red"), f"  {examined.reason or ''}")
    weights = [each for each in examined.lost if each.part == "weights"]  # the reason has all there is to say of others
    yield from map(_difference, weights[:SHOWN])
    yield from _more(len(weights))
    yield from (Text(f"      {note}", "dim") for note in examined.notes)


def _clusters(record: ModelRecord, differing: Sequence[Pair]) -> Iterator[tuple[Pair, list[list[str]]]]:
    """One pair for each two groups of implementations that are alike among themselves."""
    unequal = {frozenset(pair.between) for pair in differing}
    groups: list[list[str]] = []
    for name in dict.fromkeys(name for pair in record.pairs for name in pair.between):
        mine = next(
            (group for group in groups if all(frozenset((name, other)) not in unequal for other in group)), None
        )
        if mine is None:
            groups.append([name])
        else:
            mine.append(name)
    place = {name: index for index, group in enumerate(groups) for name in group}
    seen: set[frozenset[int]] = set()
    for pair in differing:
        between = [place[name] for name in pair.between]
        if frozenset(between) not in seen:
            seen.add(frozenset(between))
            yield pair, [groups[index] for index in between]


def _pair(pair: Pair, alike: Sequence[Sequence[str]]) -> Iterator[Text]:
    one, other = (", ".join(group) for group in alike)
    yield Text.assemble("    ", (one, "bold"), " against ", (other, "bold"))
    yield from map(_difference, pair.differences[:SHOWN])
    yield from _more(len(pair.differences))


def _difference(difference: Difference) -> Text:
    title = f"{difference.part} {difference.name}".strip()
    text = f"      {title:32}  {difference.problem}"
    return Text(text + (f"; {'; '.join(difference.first)}" if difference.first else ""))


def _more(count: int) -> Iterator[Text]:
    if count > SHOWN:
        yield Text(f"      … and {count - SHOWN} more", "dim")


def summary(document: Document) -> Iterator[Text]:
    """The counts: of models by verdict, of each implementation by outcome."""
    yield Text()
    for name, version in document.header.implementations.items():
        counts = Counter(
            record.implementations[name].outcome for record in document.models if name in record.implementations
        )
        told = ", ".join(f"{counts[outcome]} {outcome}" for outcome in Outcome if counts[outcome])
        title = f"{name} {version.version}" if version.version else name
        yield Text(
            f"{title}: {told or 'nothing'}" if not version.failure else f"{name}: not started: {version.failure}"
        )
    verdicts = Counter(record.verdict for record in document.models)
    total = verdicts.total()
    parts = [(f"{verdicts[verdict]} {verdict}", STYLES.get(verdict, "red")) for verdict in Verdict if verdicts[verdict]]
    yield Text.assemble(f"{total} model{'s' * (total != 1)}: ", Text(", ").join(Text(*part) for part in parts))


def changes(found: Iterable[Change]) -> Iterator[Text]:
    """What is otherwise than in the baseline."""
    counts: Counter[str] = Counter()
    for change in found:
        counts[change.kind] += 1
        where = f"{change.path}  {change.implementation}: " if change.implementation else f"{change.path}  "
        yield Text.assemble((f"{change.kind:8}", CHANGES[change.kind]), f"  {where}{change.text}")
    told = ", ".join(f"{counts[kind]} {kind}" for kind in CHANGES if counts[kind])
    yield Text(f"against the baseline: {told or 'nothing has changed'}")
