"""Write ``disentangle_metrics/metrics/catalogue.py``: the names of the built-in metrics.

The package must know their names without importing them, which would load NumPy. Run
``python -m tools.catalogue`` after adding a metric: a file of ``metrics/`` with a decorated function of
its name. Metrics keep their place, which is the order of reports and pages; a new one comes last.
"""

from __future__ import annotations

import ast
from pathlib import Path

from disentangle_metrics.metrics import catalogue
from tools.made_file import deliver

TARGET = Path(catalogue.__file__)


def names(folder: Path, known: tuple[str, ...]) -> list[str]:
    """The metrics of a folder: those known in their order, then the new ones."""
    here = {path.stem for path in folder.glob("*.py") if _is_metric(path)}
    return [name for name in known if name in here] + sorted(here - set(known))


def _is_metric(path: Path) -> bool:
    """Whether the file decorates the function of its name with ``@metric(...)``."""
    return any(
        isinstance(node, ast.FunctionDef)
        and node.name == path.stem
        and any(ast.unparse(decorator).startswith("metric(") for decorator in node.decorator_list)
        for node in ast.parse(path.read_text(encoding="utf-8")).body
    )


def text() -> str:
    """The text of the catalogue."""
    lines = "".join(f'    "{name}",\n' for name in names(TARGET.parent, catalogue.BUILTIN))
    return (
        '"""The names of the built-in metrics, each a file here; made by tools/catalogue.py."""\n\n'
        f"from __future__ import annotations\n\nBUILTIN = (\n{lines})\n"
    )


if __name__ == "__main__":
    deliver(TARGET, text())
