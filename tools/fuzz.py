"""Coverage-guided fuzzing of what reads files: ``python -m tools.fuzz FOLDER [options of libFuzzer]``.

Needs the package atheris, which no other tool does. FOLDER keeps the inputs that reach new code. The first
byte of an input chooses the reader. What raises anything but the package's own errors, or takes longer than
``-timeout=``, is written down as a file ``crash-...``; it belongs into tests/hostile.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["disentangle_metrics"]):
    from disentangle_metrics.encoders import loading, onnx_file, torch_save, weights  # noqa: F401
    from disentangle_metrics.encoders.pickled_names import pickled_names
    from disentangle_metrics.encoders.sniffing import file_kind
    from disentangle_metrics.encoders.weights import read_safetensors
    from disentangle_metrics.errors import DisentangleMetricsError, InputError
    from disentangle_metrics.files.arrays import read_array
    from disentangle_metrics.scoring.report import Report
    from disentangle_metrics.text import visible

PLACE = Path(tempfile.mkdtemp(dir="/dev/shm" if os.path.isdir("/dev/shm") else None)) / "input"


def report(path: Path) -> None:
    """Read a report, and show it."""
    shown = Report.from_json(path)
    str(shown)
    shown.to_markdown()
    shown.to_latex()
    shown.to_json()


def table(path: Path) -> None:
    """A text table, whatever it begins with."""
    read_array(str(path), "factors")


READERS: tuple[Callable[[Path], object], ...] = (
    file_kind,
    lambda path: read_array(str(path), "latents"),
    table,
    report,
    read_safetensors,
    pickled_names,
)


def one_input(data: bytes) -> None:
    """Give the input to its reader."""
    if not data:
        return
    PLACE.write_bytes(data[1:])
    try:
        READERS[data[0] % len(READERS)](PLACE)
    except DisentangleMetricsError as error:
        if not isinstance(error, InputError) or visible(str(error)) != str(error):
            raise AssertionError(repr(error)) from error


def seeds(folder: Path) -> None:
    """Begin with the small files of the hostile corpus, and with honest ones."""
    from tests.hostile import arrays, tables, weights

    folder.mkdir(parents=True, exist_ok=True)
    families = (arrays.array_files, tables.texts, tables.jsons, weights.safetensors_files, weights.pickles)
    honest = [b"a,b\n" + b"1,2.5\n3,x\n" * 30, b"a;b\n" + b"1,5;2\n" * 30, arrays.good_npy()]
    honest += [arrays.zipped({"latents.npy": arrays.good_npy()}), json.dumps([{"a": 1}] * 20).encode()]
    contents = list(honest)
    for case in (case for family in families for case in family()):
        if any(word in case.name for word in ("hole", "megabytes", "thousand", "very_deep")):
            continue
        case.make(PLACE)
        contents.append(PLACE.read_bytes())
    for number, content in enumerate(contents):
        if len(content) < 8_000:
            for reader in range(len(READERS)):
                (folder / f"seed-{number}-{reader}").write_bytes(bytes([reader]) + content)


if __name__ == "__main__":
    if not sys.argv[1:]:
        raise SystemExit(__doc__)
    seeds(Path(sys.argv[1]))
    atheris.Setup([sys.argv[0], *sys.argv[1:]], one_input)
    atheris.Fuzz()
