"""Run the notebooks of examples/notebooks, and write what their cells print and draw into them.

    python -m tools.notebooks            # write
    python -m tools.notebooks --check    # exit 1 if a cell prints something else than its notebook shows

Cells run in order in one namespace, with no Jupyter. Pictures are written, and not compared.
"""

from __future__ import annotations

import ast
import base64
import contextlib
import io
import json
import os
import sys
import tempfile
import warnings
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[1] / "examples" / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))


def run(notebook: dict[str, Any]) -> list[list[dict[str, Any]]]:
    """The outputs of each cell of code, run in the current folder."""
    import matplotlib

    matplotlib.use("Agg")
    names: dict[str, Any] = {}
    outputs = []
    for cell in notebook["cells"]:
        if cell["cell_type"] != "code":
            continue
        tree = ast.parse("".join(cell["source"]))
        last = ast.Expression(tree.body.pop().value) if isinstance(tree.body[-1], ast.Expr) else None
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            exec(compile(tree, "cell", "exec"), names)
            value = None if last is None else eval(compile(last, "cell", "eval"), names)
        found: list[dict[str, Any]] = []
        if printed.getvalue():
            found.append({"name": "stdout", "output_type": "stream", "text": lines(printed.getvalue())})
        if value is not None:
            found.append({"data": shown(value), "metadata": {}, "output_type": "execute_result"})
        outputs.append(found)
    return outputs


def shown(value: Any) -> dict[str, Any]:
    """What a notebook shows of a value: a picture, or its text."""
    if hasattr(value, "savefig"):
        picture = io.BytesIO()
        value.savefig(picture, format="png", dpi=100, bbox_inches="tight", metadata={"Software": None})
        return {"image/png": base64.b64encode(picture.getvalue()).decode(), "text/plain": ["<Figure>"]}
    return {"text/plain": lines(repr(value))}


def lines(text: str) -> list[str]:
    """Text as notebooks hold it; spaces at the ends of lines say nothing."""
    return "\n".join(line.rstrip() for line in text.rstrip().split("\n")).splitlines(keepends=True)


def text_of(outputs: list[dict[str, Any]]) -> str:
    """What a cell prints and shows, without pictures."""
    texts = [output.get("text") or output["data"].get("text/plain", []) for output in outputs]
    return "\n".join("".join(text) for text in texts)


def executed(path: Path) -> tuple[dict[str, Any], list[str]]:
    """A notebook with the outputs of a run of it, and what of them differs from the outputs it had."""
    notebook = json.loads(path.read_text(encoding="utf-8"))
    home = Path.cwd()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        try:
            outputs = run(notebook)
        finally:
            os.chdir(home)
    differences = []
    cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    for count, (cell, found) in enumerate(zip(cells, outputs, strict=True), start=1):
        if text_of(cell["outputs"]) != text_of(found):
            differences.append(f"{path.name}, cell {count}: {text_of(found)}")
        cell["execution_count"] = count
        cell["outputs"] = [
            {**output, "execution_count": count} if output["output_type"] == "execute_result" else output
            for output in found
        ]
    return notebook, differences


if __name__ == "__main__":
    wrong = []
    for path in NOTEBOOKS:
        notebook, differences = executed(path)
        wrong += differences
        if "--check" not in sys.argv:
            path.write_text(json.dumps(notebook, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    if "--check" in sys.argv and wrong:
        sys.exit("\n".join(["run: python -m tools.notebooks", *wrong]))
