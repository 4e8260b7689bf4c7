"""``python -m tests.corpus [id …]``: read every model of the corpus and print a table."""

from __future__ import annotations

import sys
from collections import Counter

from tests.corpus.reading import VARIABLE, entries, read


def main(names: list[str]) -> int:
    """1 if any failed, 2 if there is no corpus."""
    found = [entry for entry in entries() if not names or entry.name in names]
    if not found:
        print(f"no corpus: {VARIABLE} names no folder with an INDEX.jsonl", file=sys.stderr)
        return 2
    counts: Counter[tuple[str, str]] = Counter()
    for entry in found:
        outcome = read(entry)
        counts[entry.kind, outcome.status] += 1
        version = entry.line.get("keras_version") or ""
        print(f"{entry.name}  {entry.kind:10}  {version:10.10}  {outcome.status:7}  {outcome.detail}", flush=True)
    print()
    for (kind, status), count in sorted(counts.items()):
        print(f"{kind:10}  {status:7}  {count}")
    return int(any(status == "failed" for _, status in counts))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
