"""A failure as a script in plain Keras and NumPy that shows it, with nothing of the suite in it.

The operations of the failing example are printed one after the other (repro_source), then the comparison that failed
(repro_ending). What the script ends with is written in it, so that whoever runs it can tell whether it does:
:func:`verdict_on` is how ``run --repro`` tells.
"""

from __future__ import annotations

import base64
import re
import textwrap
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from conformance.adapters.layer_families import LAYER_FAMILIES
from conformance.blueprint.custom_source import custom_source
from conformance.suite.repro_ending import Ending, ending_of
from conformance.suite.repro_recorder import Turn, conversation_of
from conformance.suite.repro_source import SPEECHES, NotPrintable, Script, statements

# A script of more characters is nothing that anybody reads, and files of more bytes are no part of one.
LONGEST = 60_000
LARGEST_FILE = 64_000

WIDTH = 110
_ENDS = "It ends with:"


@dataclass(frozen=True)
class About:
    """What a script says about itself: ``subject`` is what was found, by whom, in one line; ``text`` the requirement."""

    subject: str
    text: Sequence[str]
    test: str
    library: str
    dialect: str
    seed: int
    env: Mapping[str, str]


def script_of(failure: BaseException, about: About) -> str:
    """The script that shows the failure. Raises NotPrintable with the reason why there is none."""
    conversation = conversation_of(failure)
    if conversation is None:
        raise NotPrintable("nothing was recorded")
    if about.library not in SPEECHES:
        raise NotPrintable(f"the spelling of {about.library} is not known: only Keras's own interfaces are")
    script = Script(SPEECHES[about.library], conversation)
    ending = ending_of(script, failure)
    body = _body(script, ending, failure)
    top = [*(custom_source(custom, about.dialect) for custom in script.printer.customs), *script.printer.functions]
    text = _joined(script, about, ending, [*(line for block in top for line in ["", *block.splitlines(), ""]), *body])
    if about.dialect == "keras-2.4" and about.library != "reference_impl":
        text = re.sub(r"\bkeras\.layers\.(\w+)", _where_it_was, text)
    if conversation.root:  # in errors and in messages
        text = text.replace(f"{conversation.root}/", "").replace(str(conversation.root), ".")
    if len(text) > LONGEST:
        raise NotPrintable(f"it would have {len(text)} characters")
    return text


# Looking changes nothing: what was looked at and plays no part in the end is left out.
_LOOKING = ("describe", "weights", "get_weights", "value", "losses", "optimizer", "summary", "get_config", "to_json")


def _matters(turn: Turn, ending: Ending, failure: BaseException) -> bool:
    """Whether the script needs the operation: its variables are named in the ending, or it does something."""
    if turn.operation in ("reset", "shutdown"):
        return False
    if turn.operation not in _LOOKING or turn is ending.turns[-1] or turn.failure is not None:
        return True
    if turn.made and any(other.params.get("object") == turn.made for other in ending.turns):
        return True
    return any(re.search(rf"_{turn.number}\b", line) for line in ending.lines)


def _where_it_was(found: re.Match[str]) -> str:
    """The layers of TensorFlow 2.4 that were experimental then."""
    name = found[1]
    if name in ("EinsumDense", "RandomFourierFeatures"):
        return f"keras.layers.experimental.{name}"
    return f"keras.layers.experimental.preprocessing.{name}" if name in LAYER_FAMILIES["preprocessing"] else found[0]


def _body(script: Script, ending: Ending, failure: BaseException) -> list[str]:
    lines: list[str] = []
    for turn in ending.turns:
        if not _matters(turn, ending, failure):
            continue
        lines += _files(turn)
        told = statements(script, turn)
        last = turn is ending.turns[-1]
        if last and ending.heard:
            told = [*_LISTEN, "with contextlib.redirect_stdout(printed):", *_indented(told)]
        if turn.failure is not None and turn.failure is not failure:
            name = f"refusal_{turn.number}"
            told = ["try:", *_indented(told or ["pass"]), "except Exception as error:", f"    {name} = error"]
            told += [f'    print("refused:", type({name}).__name__, {name})']
        lines += told
        if turn.operation == "run_source" and turn.params["name"] == "prelude":
            lines += _SHOW
    return [*lines, "", *ending.lines]


def _indented(lines: Sequence[str]) -> list[str]:
    return [f"    {line}" if line else "" for line in lines] or ["    pass"]


def _files(turn: Turn) -> list[str]:
    """What the test did to the files before this operation."""
    lines: list[str] = []
    for name, content in turn.changed.items():
        if content is None:
            lines += [f"if os.path.isdir({name!r}):", f"    shutil.rmtree({name!r})"]
            lines += [f"elif os.path.exists({name!r}):", f"    os.remove({name!r})"]
        elif isinstance(content, str):
            lines.append(f"os.makedirs({name!r}, exist_ok=True)")
        else:
            if len(content) > LARGEST_FILE:
                raise NotPrintable(f"the test itself wrote {name}, of {len(content)} bytes")
            lines.append(f"# {name}, as the test wrote it")
            packed = base64.b64encode(zlib.compress(content, 9)).decode()
            lines.append(f"pathlib.Path({name!r}).write_bytes(zlib.decompress(base64.b64decode({packed!r})))")
    return lines


# What the library says in warnings, logs and prints.
_LISTEN = (
    "heard, printed = [], io.StringIO()",
    "listener = logging.Handler()",
    "listener.emit = lambda record: heard.append(record.getMessage())",
    "logging.getLogger().addHandler(listener)",
    'for name in ("tensorflow", "absl"):',
    "    logging.getLogger(name).setLevel(logging.INFO)",
    'warnings.simplefilter("always")',
    "warnings.showwarning = lambda message, *where, **more: heard.append(str(message))",
)

# The programs of the suite tell what they saw with show(): here it is kept as well.
_SHOW = (
    "shown = {}",
    "",
    "def show(**found):",
    "    print(json.dumps(found))",
    "    shown.update(json.loads(json.dumps(found)))",
    "",
)

_MODULES = (
    "base64", "concurrent.futures", "contextlib", "copy", "io", "json", "logging", "os", "pathlib", "random", "re",
    "shutil", "tempfile", "warnings", "zlib",
)  # fmt: skip


def _joined(script: Script, about: About, ending: Ending, body: Sequence[str]) -> str:
    env = [f"os.environ.setdefault({name!r}, {value!r})" for name, value in about.env.items() if name in _TELLING]
    start = ["os.chdir(tempfile.mkdtemp())  # whatever is saved goes there"]
    start += ["scopes = []"] if any("scopes" in line for line in body) else []
    seeded = _seeding(about)
    text = "\n".join([*env, *start, *seeded, *body])
    modules = [f"import {name}" for name in _MODULES if re.search(rf"\b{re.escape(name)}\.", text)]
    lines = [
        *_docstring(about, ending), *_AS_IN_THE_SUITE, *modules, "", *env, "", "import numpy as np", *_imports(script, text), "",
        *([f"ops = {script.speech.ops}"] if re.search(r"\bops\.", "\n".join(body)) else []), *start, *seeded, *body,
    ]  # fmt: skip
    return re.sub(r"\n{4,}", "\n\n\n", "\n".join(lines)) + "\n"


# Programs of the suite leave annotations alone, as the adapters do.
_AS_IN_THE_SUITE = ("", "from __future__ import annotations", "")


def _imports(script: Script, text: str) -> list[str]:
    """What the library is imported as, and ``tf`` where only a custom object of the guide needs it."""
    needs_tf = re.search(r"\btf\.", text) and not any(line.endswith(" tf") for line in script.speech.imports)
    return [*script.speech.imports, *(["import tensorflow as tf"] if needs_tf else [])]


# Without these a library is another one; the rest of an implementation's environment keeps sums in order.
_TELLING = ("KERAS_BACKEND", "TF_ENABLE_ONEDNN_OPTS", "TF_USE_LEGACY_KERAS")


def _seeding(about: About) -> list[str]:
    if about.library == "reference_impl":
        # The name keeps the scope open: one that nothing holds is left at once.
        entered = [f"dialect = keras.dialect({about.dialect!r})", "dialect.__enter__()"]
        return [*entered, f"tf.random.set_seed({about.seed})"]
    if about.dialect in ("keras-2.15", "keras-3"):
        return [f"keras.utils.set_random_seed({about.seed})"]
    return [f"random.seed({about.seed})", f"np.random.seed({about.seed})", f"tf.random.set_seed({about.seed})"]


def _docstring(about: About, ending: Ending) -> list[str]:
    first = ending.text.strip().splitlines()[0][:WIDTH] if ending.text.strip() else ""
    paragraphs = [about.subject, *about.text, f"Found by {about.test}."]
    text = "\n\n".join(textwrap.fill(paragraph, WIDTH) for paragraph in paragraphs)
    text += f"\n\n{_ENDS}\n    {ending.exception}: {first}\n"
    return ['r"""' + text.replace('"""', "'''"), '"""']


def verdict_on(script: str, returncode: int, output: str) -> str | None:
    """None if a run of the script showed the fault, else what it did instead."""
    exception, _, text = script.partition(f"{_ENDS}\n    ")[2].partition("\n")[0].partition(": ")
    if exception == "crash":
        return None if returncode < 0 else f"no crash: exit status {returncode}"
    last = next(
        (line for line in reversed(output.splitlines()) if re.match(r"[\w.]+(Error|Exception|Exit)\b", line)), ""
    )
    if returncode == 0:
        return "the fault did not show"
    if returncode < 0:
        return f"it was ended by signal {-returncode}"
    if not re.search(rf"\b{re.escape(exception)}(:|$)", last) or _plain(text)[:50] not in _plain(output):
        return f"it ended otherwise: {last[:160] or output.strip()[-160:]}"
    return None


def _plain(text: str) -> str:
    """Without what differs from run to run: paths, numbers, spaces."""
    return re.sub(r"\s+", " ", re.sub(r"\d+", "0", re.sub(r"(?:/[\w.{},*-]+)+", "PATH", text))).strip()
