"""Changes of the members of zip archives."""

from __future__ import annotations

import io
import warnings
import zipfile

from fuzz.mutations.hdf5 import hdf5_file
from fuzz.mutations.raw import Random, some_bytes
from fuzz.mutations.texts import json_text


def zip_members(content: bytes) -> dict[str, bytes]:
    """The members of a zip archive."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def zip_archive(random: Random, content: bytes) -> bytes:
    """An archive with a member changed, renamed, doubled or taken away, perhaps compressed."""
    try:
        members = list(zip_members(content).items())
    except Exception:  # whatever the package raises for what an earlier mutation made
        return some_bytes(random, content)
    if not members:
        return some_bytes(random, content)
    at = random.randrange(len(members))
    name, member = members[at]
    kind = random.randrange(8)
    if kind == 0:
        del members[at]
    elif kind == 1:
        members.append((random.choice([other for other, _ in members]), member))
    elif kind == 2:
        members[at] = random.choice(("../x", "/x", "a/../../x", "model.weights.h5/x", name + "\0", "")), member
    else:
        change = json_text if name.endswith(".json") else hdf5_file if name.endswith(".h5") else some_bytes
        members[at] = name, change(random, member)
    stream = io.BytesIO()
    method = random.choice((zipfile.ZIP_STORED, zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA))
    with warnings.catch_warnings(), zipfile.ZipFile(stream, "w", method) as archive:
        warnings.simplefilter("ignore")
        for name, member in members:
            archive.writestr(zipfile.ZipInfo(name), member, method)
    return stream.getvalue()
