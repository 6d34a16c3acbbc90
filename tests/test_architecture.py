"""Who may import whom: data flows one way, and importing the package costs next to nothing."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = "disentangle_metrics"

# Room of the package -> the rooms it may import. A room is a folder or a loose file of the package.
# `version`, `text`, `errors`, `deprecations`, `settings`, `kit` and `checks` stand below everything.
MAY_IMPORT: dict[str, set[str]] = {
    "version": set(),
    "text": set(),
    "errors": set(),
    "deprecations": set(),
    "settings": set(),
    "kit": set(),
    "checks": set(),
    "registry": set(),
    "estimators": set(),
    "inputs": {"estimators"},
    "relations": {"estimators", "inputs"},
    "model_agreement": {"estimators", "inputs"},
    "metrics": {"estimators", "model_agreement", "registry", "relations"},
    "reference_scores": set(),
    "reporting": {"encoders", "metrics"},
    "plot": {"inputs", "relations", "reporting"},
    "scoring": {"inputs", "metrics", "plot", "reference_scores", "registry", "relations", "reporting"},
    "comparison": {"inputs", "metrics", "plot", "reporting", "scoring"},
    "benchmarking": {"estimators", "inputs", "plot", "relations", "reporting", "scoring"},
    "tracking": {"plot", "reporting", "scoring"},
    "streams": {"estimators", "inputs", "metrics", "relations", "scoring"},
    "testing": {"datasets", "inputs", "metrics", "scoring"},
    "encoders": {"registry", "inputs"},
    "files": {"encoders", "inputs"},
    "datasets": {"encoders", "files", "inputs", "registry"},
    "groups_alone": {"inputs", "scoring"},
    "loaders": {"encoders", "inputs"},
    "evaluation": {"datasets", "encoders", "groups_alone", "inputs", "loaders", "scoring"},
    "integrations": {"encoders", "evaluation", "inputs", "loaders", "metrics", "scoring", "streams"},
    "cli": {
        "benchmarking",
        "comparison",
        "datasets",
        "encoders",
        "evaluation",
        "files",
        "groups_alone",
        "inputs",
        "metrics",
        "registry",
        "reporting",
        "scoring",
    },
    "__init__": {"metrics", "scoring"},
    "__main__": {"cli"},
}
BELOW_ALL = {"version", "text", "errors", "deprecations", "settings", "kit", "checks"}

# Where a heavy library may be imported when a file is loaded, rather than inside a function.
HEAVY = {
    "torch",
    "sklearn",
    "scipy",
    "pandas",
    "matplotlib",
    "joblib",
    "rich",
    "typer",
    "pooch",
    "requests",
    "PIL",
    "safetensors",
    "narwhals",
    "pyarrow",
    "h5py",
    "polars",
    "torchmetrics",
    "lightning",
    "keras",
    "transformers",
    "anndata",
    "jax",
    "flax",
}
HEAVY_ALLOWED = {"cli": {"typer", "rich"}, "kit": {"typer"}, "plot": {"matplotlib"}}


def sources(package: str) -> list[Path]:
    return sorted((ROOT / package).rglob("*.py"))


def room_of(path: Path) -> str:
    return path.relative_to(ROOT / PACKAGE).parts[0].removesuffix(".py")


def imported(path: Path, *, top_level_only: bool = False) -> Iterator[str]:
    """Absolute names of the modules a file imports, except those only for type checkers."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in _nodes(tree, top_level_only):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{path}: imports are absolute here"
            for alias in node.names:
                below = ROOT / node.module.replace(".", "/") / alias.name
                is_module = below.is_dir() or below.with_suffix(".py").exists()
                yield f"{node.module}.{alias.name}" if is_module else node.module


def _nodes(node: ast.AST, top_level_only: bool) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            continue
        if top_level_only and isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        yield child
        yield from _nodes(child, top_level_only)


@pytest.mark.parametrize("path", sources(PACKAGE), ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_imports_only_from_below(path):
    room = room_of(path)
    allowed = MAY_IMPORT[room] | BELOW_ALL | {room}
    for module in imported(path):
        names = module.split(".")
        assert names[0] != "reference_models", "the toolkit finds models through entry points only"
        if names[0] == PACKAGE and len(names) > 1:
            assert names[1] in allowed, f"{path.name} imports {module}, which does not stand below it"


@pytest.mark.parametrize("path", sources(PACKAGE), ids=lambda path: str(path.relative_to(ROOT)))
def test_heavy_libraries_are_imported_where_they_are_used(path):
    allowed = HEAVY_ALLOWED.get(room_of(path), set())
    loaded = {module.split(".")[0] for module in imported(path, top_level_only=True)}
    assert not (loaded & HEAVY) - allowed


@pytest.mark.parametrize("path", sources("reference_models"), ids=lambda path: str(path.relative_to(ROOT)))
def test_the_models_use_public_names_only(path):
    for module in imported(path):
        if module.split(".")[0] == PACKAGE:
            assert module in (PACKAGE, f"{PACKAGE}.kit", f"{PACKAGE}.version"), (
                f"{path.name} imports {module}"
            )


def test_importing_the_package_loads_nothing_heavy():
    code = (
        "import sys, disentangle_metrics as dm; dm.InputError; dm.Score; dm.metric; dm.list_metrics(); "
        f"print(sorted(set({sorted(HEAVY)!r}) & set(sys.modules)))"
    )
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert output.stdout.strip() == "[]"


def test_every_room_is_in_the_table():
    assert {room_of(path) for path in sources(PACKAGE)} == set(MAY_IMPORT)


def test_files_stay_small():
    large = {
        str(path.relative_to(ROOT)): lines
        for package in (PACKAGE, "reference_models")
        for path in sources(package)
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > 400
    }
    assert not large
