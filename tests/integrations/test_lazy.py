"""Integrations load their library when they are used, and say how to get it where it is missing."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

LIBRARIES = ("torch", "torchmetrics", "lightning", "keras", "transformers", "anndata", "jax", "flax")


def output_of(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    return done.stdout.strip()


def test_the_room_itself_loads_no_library() -> None:
    code = (
        "import sys, disentangle_metrics as dm; dir(dm.integrations); dm.integrations.sklearn.make_scorer; "
        f"dm.integrations.anndata.benchmark; print(sorted(set({LIBRARIES!r}) & set(sys.modules)))"
    )
    assert output_of(code) == "[]"


def test_a_missing_library_is_named_with_the_way_to_get_it() -> None:
    code = (
        "import sys, disentangle_metrics as dm\n"
        f"sys.modules.update(dict.fromkeys({LIBRARIES!r}))\n"  # as if they were not installed
        "for name in ('torchmetrics', 'lightning', 'keras', 'transformers'):\n"
        "    try: getattr(dm.integrations, name)\n"
        "    except dm.InputError as error: print(error)\n"
    )
    lines = output_of(code).splitlines()
    assert len(lines) == 4
    for name, package, line in zip(
        ("torchmetrics", "lightning", "keras", "transformers"),
        ("torch", "lightning", "keras", "transformers"), lines, strict=True,
    ):  # fmt: skip
        assert line.startswith(
            f"disentangle_metrics.integrations.{name} needs the package {package}, which is not installed; "
            "install it with: "
        )
        assert re.search(rf'pip install .*\[{name}\]"$', line)


def test_an_unknown_integration_is_an_attribute_error() -> None:
    import disentangle_metrics as dm

    with pytest.raises(AttributeError, match="has no attribute 'tensorflow'"):
        dm.integrations.tensorflow  # noqa: B018
