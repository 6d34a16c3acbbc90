"""dm-eval: what it prints and writes, and how it ends."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import disentangle_metrics as dm
from disentangle_metrics.cli import sources
from disentangle_metrics.datasets import DATASETS, FactorDataset, FactorGrid

ARRAYS = "--latents z.npy --factors v.csv"
CHEAP = f"{ARRAYS} --metrics mig,irs"


@pytest.fixture
def blobs():
    """A registered data set of 4x4 images whose first two pixels are the factors."""
    grid = FactorGrid(("shape", "scale"), (6, 10), ("categorical", "ordinal"))

    def read(indices: np.ndarray) -> np.ndarray:
        images = np.zeros((len(indices), 16), np.uint8)
        images[:, :2] = grid.factors(indices) * 20
        return images.reshape(-1, 4, 4, 1)

    def load(root: str | None = None, *, pad: int = 0) -> FactorDataset:
        side = 4 + 2 * pad
        margin = ((0, 0), (pad, pad), (pad, pad), (0, 0))
        return FactorDataset("blobs", grid, (side, side, 1), lambda rows: np.pad(read(rows), margin))

    DATASETS.add("blobs", load)
    yield "blobs"
    DATASETS.remove("blobs")


STRANGERS_CODE = """
from torch import nn

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(16, 2)

    def forward(self, x):
        return self.layer(x.flatten(1))
"""


@pytest.fixture
def strangers_files(folder: Path):
    """A stranger's code and a state_dict whose latents are the first two pixels."""
    torch = pytest.importorskip("torch")
    (folder / "their_models.py").write_text(STRANGERS_CODE)
    torch.save({"layer.weight": torch.eye(2, 16), "layer.bias": torch.zeros(2)}, "weights.pt")
    yield
    sys.modules.pop("their_models", None)


def test_a_table_of_scores_equal_to_the_functions(dm_eval) -> None:
    result = dm_eval(f"{CHEAP} --json out.json --csv out.csv")
    assert result.code == 0
    assert result.err == ""
    report = dm.Report.from_json("out.json")
    factors = pd.read_csv("v.csv")
    assert report["mig"].value == dm.mig(np.load("z.npy"), factors).value
    assert report.factor_names == ("shape", "scale")
    assert set(report.provenance) == {"latents", "factors", "command"}
    assert len(report.provenance["latents"]["sha256"]) == 64
    frame = pd.read_csv("out.csv", index_col=0)
    assert list(frame.index) == ["mig", "irs"]
    for key in ("mig", "irs"):
        assert f"{report[key].value:.3f}" in result.out
        assert f"{report[key].chance:.3f}" in result.out


def test_json_on_stdout_is_only_json(dm_eval) -> None:
    result = dm_eval(f"{CHEAP} --anchors none --json -")
    values = json.loads(result.out)
    assert values["scores"]["mig"]["chance"] is None
    assert result.code == 0


def test_options_reach_the_scores(dm_eval) -> None:
    values = json.loads(dm_eval(f"{ARRAYS} --metrics mig_sup --protocol locatello2019 --seed 3 --json -").out)
    assert values["protocol"] == "locatello2019"
    assert values["seed"] == 3
    assert "active:0.01" in values["scores"]["mig_sup"]["signature"]


def test_intervals_are_in_the_table_and_the_files(dm_eval) -> None:
    assert "90% interval" in dm_eval(f"{CHEAP} --anchors none --confidence 0.9").out
    values = json.loads(dm_eval(f"{CHEAP} --anchors none --confidence 0.9 --json -").out)
    low, high = values["scores"]["mig"]["interval"]
    assert 0 < low < high <= 1
    refused = dm_eval(f"{CHEAP} --confidence 90")
    assert refused.code == 2
    assert "for 90 percent pass 0.9" in refused.err


def test_factor_types_reach_the_scores(dm_eval) -> None:
    values = json.loads(dm_eval(f"{ARRAYS} --metrics sap --factor-types scale=continuous --json -").out)
    assert "kinds:cr" in values["scores"]["sap"]["signature"]


def test_factors_in_the_file_of_the_latents_are_named(dm_eval, folder) -> None:
    latents = np.load("z.npy")
    np.savez(folder / "both.npz", latents=latents, labels=np.arange(len(latents)) % 3)
    np.savez(folder / "one.npz", labels=latents)
    said = "dm-eval: both.npz has labels too; to score, add --factors both.npz:labels"
    for named in ("both.npz", "both.npz:latents"):
        assert dm_eval(f"--latents {named} --metrics active_units").err.splitlines()[0] == said
    for read in ("both.npz:labels", "one.npz"):
        assert "labels too" not in dm_eval(f"--latents {read} --metrics active_units").err
    assert "labels too" not in dm_eval("--latents both.npz --factors both.npz --metrics mig").err


def test_latents_without_factors_are_scored_alone(dm_eval) -> None:
    result = dm_eval("--latents z.npy --json out.json")
    assert result.code == 0
    names = ["total_correlation", "wasserstein_correlation", "mean_pairwise_mi", "active_units"]
    assert result.err == f"dm-eval: no --factors, so the latents alone are scored: {', '.join(names)}\n"
    report = dm.Report.from_json("out.json")
    assert list(report) == names
    assert report["mean_pairwise_mi"].value == dm.mean_pairwise_mi(np.load("z.npy")).value
    assert all(score.value >= 0 for score in report.values())
    assert set(report.provenance) == {"latents", "command"}
    assert dm_eval("--latents z.npy --quiet").err == ""
    said = dm_eval("--latents z.npy --metrics mig,total_correlation").err
    assert said == "dm-eval: no --factors, so the latents alone are scored: total_correlation\n"


def test_posteriors_without_factors_say_how_informative_they_are(dm_eval) -> None:
    np.savez("q.npz", mean=np.load("z.npy"), logvar=np.full((300, 2), -4.0))
    assert dm_eval("--latents q.npz --json out.json").code == 0
    posterior = dm.GaussianPosterior(np.load("z.npy"), np.full((300, 2), -4.0))
    report = dm.Report.from_json("out.json")
    assert report["informativeness"].value == dm.informativeness(posterior).value


def test_missing_values_are_named_or_dropped(dm_eval) -> None:
    factors = pd.read_csv("v.csv").astype(object)
    factors.loc[[2, 5], "scale"] = None
    factors.to_csv("holes.csv", index=False)
    arguments = "--latents z.npy --factors holes.csv --metrics mig --json out.json"
    result = dm_eval(arguments)
    assert result.code == 2
    assert "factor 'scale' has a missing or infinite value in row 2 (2 in all)" in result.err
    assert dm_eval(f"{arguments} --missing drop").code == 0
    kept = np.delete(np.arange(300), [2, 5])
    found = dm.Report.from_json("out.json")["mig"]
    whole = pd.read_csv("v.csv")
    assert found.per_factor["shape"] == dm.mig(np.load("z.npy"), whole[["shape"]]).value
    assert found.per_factor["scale"] == dm.mig(np.load("z.npy")[kept], whole.loc[kept, ["scale"]]).value
    assert "missing:drop" in found.signature
    assert any("no value in 2 of 300 rows" in text for text in found.warnings)


def test_a_strangers_model_on_a_data_set(dm_eval, strangers_files, blobs) -> None:
    result = dm_eval(
        "weights.pt --dataset blobs --model-code their_models:Net --samples all --metrics mig --device "
        "cpu --json -"
    )
    assert result.code == 0, result.err
    values = json.loads(result.out)
    encoder = values["provenance"]["encoder"]
    assert encoder["model_code"] == "their_models:Net"
    assert encoder["kind"] == "torch_save"
    assert encoder["device"] == "cpu"
    assert values["shape"] == [60, 2, 2]
    grid = DATASETS.load("blobs")().factors(np.arange(60))
    assert values["scores"]["mig"]["value"] == pytest.approx(dm.mig(grid, grid, factor_types="ordinal").value)
    assert len(result.err_lines) == 1
    assert "encoded 60 images of blobs" in result.err

    result = dm_eval(
        "weights.pt --dataset blobs --model-code their_models:Net --factors scale --samples 20 --seed 4 "
        "--quiet --metrics mig --json out.json"
    )
    assert result.err == ""
    report = dm.Report.from_json("out.json")
    assert report.factor_names == ("scale",)
    assert report.shape[0] == 20


def test_options_reach_the_data_set(dm_eval, strangers_files, blobs) -> None:
    model = "weights.pt --dataset blobs --model-code their_models:Net --metrics mig --samples 20"
    assert dm_eval(f"{model} --data-options pad=0").code == 0
    result = dm_eval(f"{model} --data-options pad=14")
    assert result.code == 2
    assert "a batch of shape (20, 1, 32, 32)" in result.err


def test_a_trusted_file(dm_eval, strangers_files, blobs) -> None:
    torch = pytest.importorskip("torch")
    sys.path.insert(0, os.getcwd())
    import their_models

    torch.save(their_models.Net(), "net.pt")
    refused = dm_eval("net.pt --dataset blobs")
    assert refused.code == 2
    assert len(refused.err_lines) == 1
    assert "their_models.Net" in refused.err
    trusted = dm_eval("net.pt --dataset blobs --trust-file --metrics mig --quiet")
    assert trusted.code == 0
    assert "sha256" in trusted.err


def break_nothing(folder: Path) -> None:
    pass


def short_factors(folder: Path) -> None:
    np.save("v.npy", np.zeros((200, 2), int))


def nan_latents(folder: Path) -> None:
    z = np.load("z.npy")
    z[7, 1] = np.nan
    np.save("z.npy", z)


def empty_latents(folder: Path) -> None:
    Path("z.npy").write_bytes(b"")


def text_latents(folder: Path) -> None:
    np.save("z.npy", np.full((300, 2), "a"))


def complex_latents(folder: Path) -> None:
    np.save("z.npy", np.load("z.npy") * 1j)


def damaged_latents(folder: Path) -> None:
    Path("z.npy").write_bytes(Path("z.npy").read_bytes()[:500])


def deep_latents(folder: Path) -> None:
    np.save("z.npy", np.zeros((300, 2, 2)))


def damaged_checkpoint(folder: Path) -> None:
    torch = pytest.importorskip("torch")
    torch.save({"w": torch.zeros(1000)}, "model.pt")
    Path("model.pt").write_bytes(Path("model.pt").read_bytes()[:900])


def damaged_safetensors(folder: Path) -> None:
    save_file = pytest.importorskip("safetensors.numpy").save_file
    save_file({"w": np.zeros(1000)}, "model.pt")
    Path("model.pt").write_bytes(Path("model.pt").read_bytes()[:900])


def an_empty_model(folder: Path) -> None:
    Path("model.pt").touch()


@pytest.mark.parametrize(
    ("prepare", "arguments", "message"),
    [
        (
            short_factors,
            "--latents z.npy --factors v.npy",
            "z.npy have 300 rows but the factors of v.npy have 200",
        ),
        (nan_latents, ARRAYS, "found nan in row 7, column 1"),
        (empty_latents, ARRAYS, "z.npy is an empty file"),
        (text_latents, ARRAYS, "must be real numbers"),
        (complex_latents, ARRAYS, "must be real numbers"),
        (deep_latents, ARRAYS, "must have shape (N, D), got (300, 2, 2)"),
        (damaged_latents, ARRAYS, "truncated or damaged"),
        (break_nothing, f"{ARRAYS} --metrics migg", "did you mean 'mig'"),
        (break_nothing, f"{ARRAYS} --protocol locatello", "unknown protocol 'locatello'"),
        (break_nothing, "--latents none.npy --factors v.csv", "no such file: none.npy"),
        (break_nothing, "--latents z.npy --factors none.csv", "no such file: none.csv"),
        (break_nothing, "none.pt --dataset blobs", "no such file: none.pt"),
        (damaged_checkpoint, "model.pt --dataset blobs --arch vlae", "truncated or damaged"),
        (damaged_safetensors, "model.pt --dataset blobs --arch vlae", "truncated or damaged"),
        (an_empty_model, "model.pt --dataset blobs", "model.pt is an empty file"),
        (break_nothing, "z.npy --dataset blobs", "arrays are scored without a model"),
        (break_nothing, "z.npy --dataset blob", "did you mean 'blobs'"),
        (break_nothing, "", "give a MODEL with --dataset, or --latents with --factors"),
        (break_nothing, "model.pt", "needs --dataset"),
        (break_nothing, "r.json", "r.json is JSON and no MODEL; dm-eval compare takes reports"),
        (break_nothing, "--latents z.npy --factor-types a=ordinal", "needs --factors"),
        (break_nothing, "--latents z.npy --metrics mig", "mig cannot be scored without --factors"),
        (break_nothing, "--latents z.npy --protocol hsu2023", "no metric of latents alone; give --factors"),
        (break_nothing, f"model.pt {ARRAYS} --arch x", "takes no MODEL, --arch"),
        (break_nothing, "model.pt --dataset blobs --samples many", "--samples must be a number or all"),
        (
            break_nothing,
            "model.pt --dataset blobs --data-options pad=two",
            "pad must be a whole number, got 'two'",
        ),
        (break_nothing, "model.pt --dataset blobs --data-options pads=2", "accepted: root, pool, pad"),
        (break_nothing, f"{ARRAYS} --data-options pad=2", "takes no --data-options"),
        (break_nothing, f"{ARRAYS} --metrics ,", "--metrics needs at least one name"),
        (break_nothing, f"{ARRAYS} --factor-types scale", "must be NAME=TYPE"),
        (break_nothing, f"{ARRAYS} --factor-types size=ordinal", "'size', which is none of shape, scale"),
        (
            break_nothing,
            f"{ARRAYS} --factor-types scale=real",
            "must be one of categorical, ordinal, continuous",
        ),
        (break_nothing, f"{ARRAYS} --seed -1", "--seed must be"),
        (break_nothing, f"{ARRAYS} --seed one", "'--seed'"),
        (break_nothing, f"{ARRAYS} --anchors some", "'--anchors'"),
        (
            break_nothing,
            f"{ARRAYS} --metric mig",
            "No such option ... --metric",
        ),  # quoted by some versions of Typer
        (break_nothing, f"{ARRAYS} --json no/such/out.json", "there is no folder"),
        (break_nothing, f"{ARRAYS} --json .", "it is a folder"),
        (break_nothing, f"{ARRAYS} --json - --csv -", "must go to different places"),
        (break_nothing, "--explain migg", "did you mean 'mig'"),
    ],
)
def test_bad_input_is_one_line_and_code_2(prepare, arguments, message, dm_eval, folder, blobs) -> None:
    prepare(folder)
    result = dm_eval(arguments)
    assert result.code == 2, result
    assert len(result.err_lines) == 1
    assert all(words in result.err for words in message.split(" ... "))
    assert result.err.startswith("dm-eval: error: ")
    assert result.out == ""


def test_debug_shows_the_traceback(dm_eval) -> None:
    result = dm_eval("--latents none.npy --factors v.csv --debug")
    assert result.code == 2
    assert "Traceback" in result.err
    assert result.err_lines[-1].startswith("dm-eval: error: ")


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch):
    def fail_with(error: BaseException) -> None:
        def score(*_: object, **__: object) -> None:
            raise error

        monkeypatch.setattr(sources, "score", score)

    return fail_with


def test_a_failure_is_code_1_and_keeps_the_old_file(dm_eval, failing) -> None:
    Path("out.json").write_text("precious")
    failing(RuntimeError("the disk\nis on fire"))
    result = dm_eval(f"{CHEAP} --json out.json")
    assert result.code == 1
    assert result.err == "dm-eval: failed: RuntimeError: the disk is on fire (--debug shows where)\n"
    assert Path("out.json").read_text() == "precious"
    assert sorted(os.listdir()) == ["out.json", "v.csv", "z.npy"]


def test_an_interruption_is_code_130(dm_eval, failing) -> None:
    failing(KeyboardInterrupt())
    result = dm_eval(f"{CHEAP} --json out.json")
    assert result.code == 130
    assert result.err == "dm-eval: interrupted\n"
    assert sorted(os.listdir()) == ["v.csv", "z.npy"]


def test_outputs_are_checked_before_the_work(dm_eval, failing) -> None:
    failing(AssertionError("the work started"))
    assert dm_eval(f"{CHEAP} --csv no/such/out.csv").code == 2


def test_a_written_file_can_be_read_by_others_and_links_stay(dm_eval) -> None:
    Path("real.json").write_text("old")
    Path("link.json").symlink_to("real.json")
    assert dm_eval(f"{CHEAP} --json link.json").code == 0
    assert Path("link.json").is_symlink()
    assert json.loads(Path("real.json").read_text())["scores"]
    umask = os.umask(0)
    os.umask(umask)
    assert Path("real.json").stat().st_mode & 0o777 == 0o666 & ~umask


def test_list_explain_version(dm_eval) -> None:
    listed = dm_eval("--list").out
    for name in ("mig_sup", "dci_completeness", "locatello2019", "sprites"):
        assert name in listed
    assert dm.describe("dci").splitlines()[0] in dm_eval("--explain dci_completeness").out
    assert "UDR" in dm_eval("--explain udr").out
    assert dm.__version__ in dm_eval("--version").out
    help_text = dm_eval("--help")
    assert help_text.code == 0
    assert "--trust-file" in help_text.out


def test_arrays_need_no_torch(folder: Path) -> None:
    """In a fresh process where torch and safetensors cannot be imported."""
    code = (
        "import sys; sys.modules['torch'] = sys.modules['safetensors'] = None; "
        "from disentangle_metrics.cli.evaluate import main; main()"
    )
    command = [sys.executable, "-c", code, *CHEAP.split(), "--json", "out.json"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder)
    assert done.returncode == 0, done.stderr
    assert "mig" in done.stdout
    (folder / "model.pt").write_bytes(b"\x80\x04N.")
    command = [sys.executable, "-c", code, "model.pt", "--dataset", "sprites"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder)
    assert done.returncode == 2
    assert re.search(r'pip install .*\[models\]"', done.stderr)
    assert len(done.stderr.splitlines()) == 1
