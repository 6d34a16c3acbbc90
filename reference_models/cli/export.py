"""``dm-train export``: a checkpoint as a file for elsewhere."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from disentangle_metrics import InputError
from disentangle_metrics.kit import same_file
from reference_models.cli.options import Debug, writable


class Format(StrEnum):
    """What can be written."""

    ONNX, SAFETENSORS = "onnx", "safetensors"


def export(
    model: Annotated[
        Path,
        typer.Argument(
            metavar="MODEL", help="A checkpoint, a run's folder, or the name of a bundled checkpoint."
        ),
    ],
    out: Annotated[Path, typer.Option(help="The file to write.")],
    format: Annotated[
        Format | None,
        typer.Option(
            help="onnx: the encoder in one file; safetensors: the weights.  [default: by --out's ending]"
        ),
    ] = None,
    precision: Annotated[
        str | None, typer.Option(help="Of safetensors: float32 or float16.  [default: float32]")
    ] = None,
    debug: Debug = False,
) -> None:
    """Write the encoder as an ONNX file, or the weights alone as a safetensors file."""
    endings = [known for known in Format if out.suffix.lower() == f".{known}"]
    chosen = format or (endings[0] if endings else None)
    if chosen is None:
        raise InputError(f"--out is {out}; give --format, or a name that ends in .onnx or .safetensors")
    if chosen is Format.ONNX and precision not in (None, "float32"):
        raise InputError(f"--precision is {precision}; ONNX files are written in float32")
    writable(out)

    from reference_models.trained.export import export_onnx, export_safetensors
    from reference_models.trained.load import stage_ends

    ends = stage_ends(model)
    if any(same_file(out, end) for end in ends):
        raise InputError(f"--out {out} would replace the checkpoint itself; give it another name")
    newest = ends[-1]
    if chosen is Format.ONNX:
        export_onnx(newest, out)
    else:
        export_safetensors(newest, out, precision or "float32")
    print(out)
