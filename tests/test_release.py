"""The version, the changelog and the citation agree on what is released."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

import disentangle_metrics as dm

ROOT = Path(__file__).parents[1]
CHECKPOINTS = ROOT / "reference_models" / "checkpoints"
PINNED = f"disentangle-metrics-checkpoints=={dm.__version__}"


def disagreement(version: str, changelog: str, citation: str) -> str:
    """What does not agree, in a line; "" if all does."""
    sections = re.findall(r"^## (.+)$", changelog, re.M)
    if not sections or sections[0] != "Unreleased":
        return "the changelog does not begin with Unreleased"
    cited = tuple(re.findall(rf"^{field}: (\S+)$", citation, re.M) for field in ("version", "date-released"))
    if len(sections) == 1:
        return "nothing is released, but the citation names a release" if any(cited) else ""
    last = re.fullmatch(r"(\d+\.\d+\.\d+) \((\d{4}-\d\d-\d\d)\)", sections[1])
    if last is None:
        return f"a released section has its version and its date, found {sections[1]!r}"
    if cited != ([last[1]], [last[2]]):
        return f"the citation is not of the last release, {sections[1]}"
    as_numbers = [tuple(map(int, number.split("."))) for number in (version, last[1])]
    return "" if as_numbers[0] >= as_numbers[1] else f"the version {version} is older than the last release"


def test_the_files_agree_on_what_is_released() -> None:
    changelog, citation = (
        (ROOT / name).read_text(encoding="utf-8") for name in ("CHANGELOG.md", "CITATION.cff")
    )
    assert disagreement(dm.__version__, changelog, citation) == ""


def test_a_disagreement_is_named() -> None:
    first = "# Changelog\n\n## Unreleased\n"
    released = f"{first}\n## 0.2.0 (2027-01-31)\n\n## 0.1.0 (2026-12-01)\n"
    cited = "title: a\nversion: 0.2.0\ndate-released: 2027-01-31\n"
    assert disagreement("0.1.0", first, "title: a\n") == ""
    assert "nothing is released" in disagreement("0.1.0", first, cited)
    assert disagreement("0.2.0", released, cited) == ""
    assert disagreement("0.3.0", released, cited) == ""
    assert "older" in disagreement("0.1.0", released, cited)
    assert "not of the last release" in disagreement("0.2.0", released, cited.replace("0.2.0", "0.1.0"))
    assert "not of the last release" in disagreement("0.2.0", released, "title: a\n")
    assert "its date" in disagreement("0.2.0", f"{first}\n## 0.2.0\n", cited)
    assert "begin with" in disagreement("0.2.0", "# Changelog\n\n## 0.2.0 (2027-01-31)\n", cited)


def test_the_extra_pins_the_checkpoints_of_this_version() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert PINNED in extras["optional-dependencies"]["models"]
    own = tomllib.loads((CHECKPOINTS / "pyproject.toml").read_text(encoding="utf-8"))
    version = CHECKPOINTS / own["tool"]["hatch"]["version"]["path"]
    assert version.resolve() == (ROOT / "disentangle_metrics" / "version.py").resolve()
    assert (CHECKPOINTS / "LICENSE").read_text() == (ROOT / "LICENSE").read_text()


def built(folder: Path, target: Path, **variables: str) -> tuple[set[str], str]:
    """The names in the wheel of a project, and its metadata."""
    code = "import sys; from hatchling.build import build_wheel; build_wheel(sys.argv[1])"
    environment = {name: value for name, value in os.environ.items() if name != "PIP_BUILD_TRACKER"}
    command = [sys.executable, "-c", code, str(target)]
    subprocess.run(
        command, cwd=folder, env={**environment, **variables}, check=True, capture_output=True, timeout=120
    )
    with zipfile.ZipFile(next(target.glob("*.whl"))) as wheel:
        names = set(wheel.namelist())
        metadata = next(name for name in names if name.endswith(".dist-info/METADATA"))
        return names, wheel.read(metadata).decode()


@pytest.mark.parametrize("by_pip", [False, True])
def test_a_wheel_has_no_weights_and_names_the_clone_for_pip_alone(tmp_path: Path, by_pip: bool) -> None:
    variables = {"PIP_BUILD_TRACKER": str(tmp_path)} if by_pip else {}
    names, metadata = built(ROOT, tmp_path, **variables)
    assert "reference_models/bundled.py" in names
    assert not [name for name in names if name.startswith("reference_models/checkpoints")]
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert f"Requires-Dist: {PINNED}; extra == 'models'\n" in metadata
    line = rf"Requires-Dist: disentangle-metrics-checkpoints @ {CHECKPOINTS.as_uri()} ; .*extra == 'models'"
    assert len(re.findall(line, metadata)) == by_pip
    assert ("file:" in metadata) == by_pip


def test_the_wheel_of_the_checkpoints_is_data_alone(tmp_path: Path) -> None:
    folder = tmp_path / "reference_models" / "checkpoints"
    folder.mkdir(parents=True)
    for path in CHECKPOINTS.iterdir():  # small stand-ins for the weights
        (folder / path.name).write_bytes(b"" if path.suffix == ".safetensors" else path.read_bytes())
    (tmp_path / "disentangle_metrics").mkdir()
    text = (ROOT / "disentangle_metrics" / "version.py").read_text(encoding="utf-8")
    (tmp_path / "disentangle_metrics" / "version.py").write_text(text, encoding="utf-8")
    names, metadata = built(folder, tmp_path)
    assert f"\nVersion: {dm.__version__}\n" in metadata
    data = {name for name in names if ".dist-info" not in name}
    expected = {path.name for path in CHECKPOINTS.iterdir()} - {"LICENSE", "README.md", "pyproject.toml"}
    assert data == {f"disentangle_metrics_checkpoints/{name}" for name in expected}
    assert any(name.endswith("licenses/LICENSE") for name in names)


def test_the_clone_of_an_installation_from_a_repository_is_not_named(tmp_path: Path) -> None:
    spec = importlib.util.spec_from_file_location("hatch_build", ROOT / ".config" / "hatch_build.py")
    assert spec is not None
    assert spec.loader is not None
    hook = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(hook)
    of_pip, of_a_person = tmp_path / "pip-req-build-x", tmp_path / "clone"
    identity = ["-c", "user.name=x", "-c", "user.email=x@example.org"]

    def git(*arguments: str) -> str:
        command = ["git", "-C", str(of_pip), *identity, *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    of_pip.mkdir()
    inside = "reference_models/checkpoints"
    assert hook.address(of_a_person) == (of_a_person / inside).as_uri()
    assert hook.address(of_pip) == (of_pip / inside).as_uri()  # no repository
    git("init", "-q")
    git("commit", "-q", "--allow-empty", "-m", "first")
    git("remote", "add", "origin", "https://example.org/r.git")
    commit = git("rev-parse", "HEAD")
    assert hook.address(of_pip) == f"git+https://example.org/r.git@{commit}#subdirectory={inside}"
    git("remote", "set-url", "origin", "https://secret@example.org/r.git")
    assert "secret" not in hook.address(of_pip)
