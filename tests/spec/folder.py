"""A tiny specification folder, and what to change in it."""

from __future__ import annotations

from pathlib import Path

DIALECTS = """
[formats]
hdf5 = "one file"
zip = "an archive"
tensors = "numbers alone"

[[dialect]]
id = "old"
title = "before the archive"
versions = "1"
formats.model = ["hdf5"]
formats.weights = ["tensors"]
missing_families = ["merge"]

[[dialect]]
id = "new"
title = "with the archive"
versions = "2"
formats.model = ["hdf5", "zip"]
"""

TOLERANCES = """
[[tolerance]]
id = "close"
epsilon = 1e-6
meaning = "nearly equal"
"""

CAPABILITIES = """
[capabilities]
build = "builds"
"save.hdf5" = "saves one file"
"save.zip" = "saves an archive"
"layers.core" = "plain layers"
"layers.merge" = "merging layers"
"""

ERRATA = """
[[erratum]]
id = "E1"
title = "it is not so"
guide = "it is so"
reference = "does so"
[[erratum.observed]]
implementations = ["real"]
behaviour = "does not"
"""

CHAPTER = """
[chapter]
id = "model"
title = "Models"
order = 1
"""

REQUIREMENT = """
[[requirement]]
id = "model.whole"
level = "MUST"
text = "It is whole."
source = "guide"
origin = "guide"
formats = ["hdf5", "zip"]
needs = ["build", "save.{format}"]
tolerance = "close"
errata = ["E1"]
"""

SECOND = """
[[requirement]]
id = "model.half"
level = "SHOULD"
text = "Half of it is there."
source = "guide"
origin = "derived"
depends = ["model.whole"]
"""


def write(folder: Path, **changed: str) -> Path:
    """Write the folder, with the text of the files named in ``changed`` in place of theirs."""
    texts = {
        "dialects": DIALECTS,
        "tolerances": TOLERANCES,
        "capabilities": CAPABILITIES,
        "errata": ERRATA,
        "model": CHAPTER + REQUIREMENT + SECOND,
    }
    for name, text in (texts | changed).items():
        (folder / f"{name}.toml").write_text(text, encoding="utf-8")
    return folder
