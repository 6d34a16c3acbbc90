"""What dm-eval writes takes no place of what it reads, and what it prints for programs is UTF-8."""

from __future__ import annotations

import io
import json
import os
import shutil
import sys
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import disentangle_metrics as dm
from disentangle_metrics.cli import compare, evaluate, files_read
from disentangle_metrics.cli.output import OutputFile, check_places
from disentangle_metrics.cli.results import as_csv
from disentangle_metrics.errors import InputError
from disentangle_metrics.kit import run_command
from disentangle_metrics.kit.commands import UsageError

SCORED = "--latents z.npy --factors v.csv --metrics mig --anchors none"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (f"{SCORED} --csv v.csv", "--csv v.csv would replace a file of --factors; give it another name"),
        ("--latents z.npy --factors v.csv:shape --json ./v.csv", "--json ./v.csv would replace a file of --factors"),
        (f"{SCORED} --plot linked.png", "--plot linked.png would replace a file of --latents"),
        ("--latents a=z.npy b=other.npy --csv z.npy", "--csv z.npy would replace a file of --latents"),
        ("--latents z.npy --out kept --json kept/z.json", "--json kept/z.json would replace a file of --out"),
        (f"{SCORED} --json o.x --csv ./o.x", "--json and --csv must go to different places"),
        (f"{SCORED} --json o.x --html link.x", "--json and --html must go to different places"),
        (f"{SCORED} --json - --csv -", "--json and --csv must go to different places"),
        (f"{SCORED} --json - --csv /dev/stdout", "--json and --csv must go to different places"),
        ("w.pt --dataset sprites --json w.pt", "--json w.pt would replace a file of MODEL"),
        ("hf --dataset sprites --json hf/config.json", "--json hf/config.json would replace a file of MODEL"),
        ("w.pt --dataset sprites --model-code c.py:f --csv c.py", "--csv c.py would replace a file of --model-code"),
        ("w.pt --dataset pictures --csv pictures/v.csv", "would replace a file of --dataset"),
        ("w.pt --dataset ./p.npz|colour --csv p.npz", "--csv p.npz would replace a file of --dataset"),
        ("w.pt --dataset p.npz --data-options factors=v.csv --csv v.csv", "replace a file of --data-options"),
        ("w.pt --dataset dsprites --root p.npz --csv p.npz", "--csv p.npz would replace a file of --root"),
    ],
)  # fmt: skip
def test_nothing_that_is_read_is_replaced(line: str, message: str, dm_eval, folder: Path) -> None:
    for name in ("hf/config.json", "pictures/v.csv", "w.pt", "other.npy", "c.py", "p.npz"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).touch()
    (folder / "linked.png").symlink_to("z.npy")
    (folder / "link.x").symlink_to("o.x")
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    result = dm_eval(line)
    assert (result.code, result.out) == (2, "")
    assert message in result.err
    assert len(result.err_lines) == 1
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


def test_the_path_of_stdout_is_stdout(dm_eval, folder: Path) -> None:
    """A table after the JSON would be no JSON."""
    assert list(json.loads(dm_eval(f"{SCORED} --json /dev/stdout").out)["scores"]) == ["mig"]


def test_a_comparison_replaces_no_report(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rng = np.random.default_rng(0)
    v = rng.integers(0, 4, size=(100, 2))
    dm.score(v + rng.normal(size=v.shape), v, metrics=["mig"], anchors=False).to_json("a.json")
    shutil.copy("a.json", "b.json")
    code = run_command(compare.app, compare.NAME, ["a.json", "new=b.json", "--json", "./b.json"])
    assert code == 2
    assert "--json ./b.json would replace a file of RESULT" in capsys.readouterr().err
    assert dm.Report.from_json("b.json").to_dict() == dm.Report.from_json("a.json").to_dict()


@pytest.mark.parametrize(
    ("path", "refused"),
    [
        ("pictures/v.csv", True),
        ("pictures/more/0.png", True),
        ("pictures/more/part.parquet", True),
        ("pictures/scores.html", False),  # what is not read may be made again
        ("pictures/more/scores.json", False),
        ("hf/scores.json", False),
        ("hf/config.json", True),
    ],
)
def test_in_folders_only_what_is_read_is_kept(path: str, refused: bool, folder: Path) -> None:
    (folder / path).parent.mkdir(parents=True, exist_ok=True)
    (folder / path).touch()
    for other in ("pictures", "hf"):
        (folder / other).mkdir(exist_ok=True)
    inputs = {"MODEL": files_read.weights("hf"), "--dataset": files_read.images("pictures")}
    with pytest.raises(UsageError, match="would replace a file of") if refused else nullcontext():
        check_places({"out": path}, inputs)


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="as POSIX systems are")
def test_another_users_file_in_a_sticky_folder_is_refused_before_the_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner = os.geteuid()
    path = tmp_path / "r.json"
    path.touch()
    path.chmod(0o666)
    monkeypatch.setattr(os, "geteuid", lambda: owner + 1)
    with OutputFile(str(path)):
        pass
    tmp_path.chmod(0o1777)
    with pytest.raises(
        InputError, match="another user's file, and in its folder only the owner may replace it"
    ):
        OutputFile(str(path)).__enter__()
    with OutputFile(str(tmp_path / "new.json")):
        pass


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "utf-16"])
def test_what_is_for_programs_is_utf_8(encoding: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    v = pd.read_csv("v.csv").set_axis(["größe", "色"], axis=1)
    v.to_csv("v.csv", index=False)

    def printed(line: str) -> str:
        stdout = io.TextIOWrapper(io.BytesIO(), encoding=encoding, newline="\r\n")
        monkeypatch.setattr(sys, "stdout", stdout)
        assert run_command(evaluate.app, evaluate.NAME, line.split()) == 0
        return stdout.buffer.getvalue().decode("utf-8")

    for line in (f"{SCORED} --quiet --format json", f"{SCORED} --quiet --json -"):
        assert json.loads(printed(line))["factor_names"] == ["größe", "色"]
    names = "--latents größe=z.npy 色=z.npy --factors v.csv --metrics mig --anchors none --quiet"
    for line in (f"{names} --format csv", f"{names} --csv -"):
        assert [row.partition(",")[0] for row in printed(line).split("\n")[1:3]] == ["größe", "色"]


def test_csv_has_the_same_ends_of_lines_everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    v = np.random.default_rng(0).integers(0, 4, size=(100, 2))
    report = dm.score(v, v, metrics=["mig"], anchors=False)
    monkeypatch.setattr(os, "linesep", "\r\n")
    header, row, rest = as_csv(report).split("\n")
    assert header.startswith("metric,value,")
    assert header.endswith(",signature")
    assert row.endswith(report["mig"].signature)
    assert rest == ""


UNRELATED = "dm-eval: !! 3 of 3 scores are at their chance level; "
NO_ORDER = "[no_order]"


@pytest.fixture
def shuffled(folder: Path) -> str:
    """Arguments that score latents of other rows, against factors of which one is words."""
    z = np.load("z.npy")
    np.save("z.npy", z[np.random.default_rng(1).permutation(len(z))])
    v = pd.read_csv("v.csv")
    v.assign(shape=v["shape"].map(dict(enumerate("abcde")))).to_csv("v.csv", index=False)
    return "--latents z.npy --factors v.csv --metrics mig,mig_sup,mcc"


@pytest.mark.parametrize("output", ["--format latex", "--format csv", "--csv -", "--csv - --json r.json"])
def test_what_shows_no_checks_has_them_on_stderr(output: str, dm_eval, shuffled: str) -> None:
    result = dm_eval(f"{shuffled} {output}")
    assert result.code == 0
    assert result.err.count(UNRELATED) == 1
    assert "[rows_unrelated]" in result.err
    assert NO_ORDER in result.err
    assert "·" not in result.err
    assert "at their chance level" not in result.out
    assert dm_eval(f"{shuffled} {output} --quiet").err == ""


@pytest.mark.parametrize("output", ["", "--format markdown", "--format json", "--json -", "--csv r.csv"])
def test_what_shows_checks_has_them_once(output: str, dm_eval, shuffled: str) -> None:
    result = dm_eval(f"{shuffled} {output}")
    assert "at their chance level" in " ".join(result.out.split())
    assert result.err == ""


def test_checks_of_several_files_name_the_file(dm_eval, shuffled: str, folder: Path) -> None:
    v = pd.read_csv("v.csv")
    np.save("good.npy", np.column_stack([v["shape"].map(ord), v["scale"]]).astype(float))
    result = dm_eval(f"--latents z.npy good.npy {shuffled.partition('z.npy ')[2]} --format csv")
    assert "dm-eval: z: !! 3 of 3 scores are at their chance level; " in result.err
    assert result.err.count(NO_ORDER) == 1
