"""The line that installs an extra suits where the package came from, and runs in the same environment."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from disentangle_metrics.kit import install_line, installing


class Installed:
    def __init__(self, direct_url: object) -> None:
        self.direct_url = direct_url

    def read_text(self, name: str) -> str | None:
        assert name == "direct_url.json"
        return None if self.direct_url is None else json.dumps(self.direct_url)


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """Pretends that the package was installed from somewhere, and that the environment is activated."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VIRTUAL_ENV", sys.prefix)
    monkeypatch.setattr(installing, "SOURCES", tmp_path / "site-packages")

    def pretend(direct_url: object) -> None:
        monkeypatch.setattr(installing, "distribution", lambda name: Installed(direct_url))

    return pretend


def test_in_the_clone_it_is_the_folder_here(installed, tmp_path):
    installed({"url": tmp_path.as_uri(), "dir_info": {}})
    assert install_line("onnx") == 'pip install ".[onnx]"'
    assert install_line("onnx", upgrade=True) == 'pip install --upgrade ".[onnx]"'


def test_elsewhere_it_is_the_path_of_the_clone(installed, tmp_path):
    clone = tmp_path / "a clone"
    clone.mkdir()
    installed({"url": clone.as_uri(), "dir_info": {"editable": True}})
    assert install_line("models") == f'pip install -e "{clone}[models]"'
    clone.rmdir()
    assert install_line("models") == 'pip install "disentangle-metrics[models]"'


def test_a_wheel_is_named_while_it_is_there(installed, tmp_path):
    wheel = tmp_path / "a.whl"
    wheel.touch()
    installed({"url": wheel.as_uri(), "archive_info": {}})
    assert install_line("data") == f'pip install "disentangle-metrics[data] @ {wheel.as_uri()}"'
    (tmp_path / "disentangle_metrics_checkpoints-0.1.0-py3-none-any.whl").touch()
    found = f'--find-links "{tmp_path}" "disentangle-metrics[models] @ {wheel.as_uri()}"'
    assert install_line("models") == f"pip install {found}"
    wheel.unlink()
    assert install_line("data") == 'pip install "disentangle-metrics[data]"'


def test_a_repository_is_named_with_its_commit(installed):
    installed({"url": "https://example.org/r.git", "vcs_info": {"vcs": "git", "commit_id": "abc123"}})
    assert (
        install_line("data")
        == 'pip install "disentangle-metrics[data] @ git+https://example.org/r.git@abc123"'
    )


def test_from_an_index_it_is_the_name(installed):
    installed(None)
    assert install_line("report") == 'pip install "disentangle-metrics[report]"'


def test_sources_that_are_imported_where_they_lie_are_a_clone(installed, tmp_path, monkeypatch):
    installed(None)
    (tmp_path / "pyproject.toml").touch()
    monkeypatch.setattr(installing, "SOURCES", tmp_path)
    assert install_line("dask") == 'pip install -e ".[dask]"'


def test_an_environment_that_is_not_activated_is_named(installed, tmp_path, monkeypatch):
    installed(None)
    monkeypatch.delenv("VIRTUAL_ENV")
    monkeypatch.setattr(sys, "prefix", str(tmp_path / ".venv"))
    monkeypatch.setattr(sys, "executable", str(tmp_path / ".venv" / "bin" / "python"))
    python = Path(".venv", "bin", "python")
    assert install_line("data") == f'{python} -m pip install "disentangle-metrics[data]"'
    monkeypatch.setattr(installing.importlib.util, "find_spec", lambda name: None)
    assert install_line("data") == f'uv pip install --python {python} "disentangle-metrics[data]"'


def test_the_interpreter_of_the_system_is_activated(installed, monkeypatch):
    installed(None)
    monkeypatch.delenv("VIRTUAL_ENV")
    monkeypatch.setattr(sys, "prefix", sys.base_prefix)
    assert install_line("data") == 'pip install "disentangle-metrics[data]"'
