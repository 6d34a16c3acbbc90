from __future__ import annotations

import ast
import errno
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import disentangle_metrics as dm
from disentangle_metrics.cli import evaluate, sources
from disentangle_metrics.kit import commands
from reference_models import cards, datasets
from reference_models.cli import train as cli
from reference_models.models import MODELS, defaults_of
from reference_models.trained import checkpoints
from reference_models.training import recipe
from tests.reference_models.conftest import Squares

pytestmark = pytest.mark.usefixtures("only_squares")
TWENTY = ["--preset", "smoke", "--steps", "20", "--batch-size", "4", "--device", "cpu", "--quiet"]
SHORT = ["--preset", "smoke", "--steps", "6", "--batch-size", "2", "--device", "cpu", "--quiet"]
SHORTEST = ["1" if option == "6" else option for option in SHORT]


def dm_train(*arguments: str) -> int:
    return cli.run(list(arguments))


@pytest.mark.parametrize("model", list(MODELS))
def test_trains_and_the_weights_are_evaluated(
    model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert dm_train(model, "--dataset", "squares", *TWENTY, "--out", str(tmp_path / "run")) == 0
    out, err = capsys.readouterr()
    assert out.strip() == str(tmp_path / "run" / "model.safetensors")
    assert err == ""
    description = checkpoints.read_description(tmp_path / "run" / "model.safetensors")
    assert description["arguments"]["image_shape"] == [1, 32, 32]
    assert (description["architecture"], description["step"]) == (model, 20)

    monkeypatch.setattr(sources, "load_dataset", lambda name, root: Squares())
    report, scores = tmp_path / "report.json", ["mig", "mcc", "mean_pairwise_mi"]
    options = ["--samples", "200", "--quiet", "--metrics", ",".join(scores), "--json", str(report)]
    assert commands.run_command(evaluate.app, "dm-eval", [out.strip(), "--dataset", "squares", *options]) == 0
    found = dm.Report.from_json(report)
    assert list(found) == scores
    assert all(0 <= found[name].value <= 1 for name in scores[:2])
    assert found.provenance["encoder"]["architecture"] == model


def test_options_change_the_preset(tmp_path: Path) -> None:
    options = ["--beta", "2", "--set", "gamma=0", "--learning-rate", "1e-4", "--set", "affine=true"]
    assert dm_train("pro-vlae", "--dataset", "squares", *SHORT, "--out", str(tmp_path), *options) == 0
    description = checkpoints.read_description(tmp_path / "model.safetensors")
    arguments, settings = description["arguments"], description["settings"]
    assert (arguments["beta"], arguments["gamma"], arguments["affine"]) == (2.0, 0, True)
    assert arguments["wake_steps"] == [0, 2, 4]
    assert (settings["steps"], settings["batch_size"], settings["learning_rate"]) == (6, 2, 1e-4)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        *(("True", True), ("true", True), ("False", False), ("(0, 5000, 10000)", [0, 5000, 10000])),
        *(("0,1", [0, 1]), ("(0, 1)", [0, 1]), ("[0, 1]", [0, 1]), ("(0,)", [0]), ("2", 2), ("1e-3", 1e-3)),
        *(("many", "many"), ("None", "None"), ("null", "null"), ("0,one", "0,one"), ("{}", "{}"), ("", "")),
        *((text, text) for text in ("[" * 100_000, "(" * 100_000, "9" * 10_000)),
    ],
    ids=lambda value: str(value)[:20],
)
def test_values_are_read_as_json_and_as_python_writes_them(text: str, value: Any) -> None:
    name, found = cli.parsed(f"wake-steps={text}")
    assert name == "wake_steps"
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize("model", list(MODELS))
def test_every_default_in_the_help_is_accepted_by_set(model: str) -> None:
    plan = recipe.read_preset(model, "sprites", "demo")
    for name, (default, _) in cards.card(model).settings.items():
        given = dict([cli.parsed(f"{name}={default}")])
        assert recipe.changed(plan, given, {}).arguments[name] == defaults_of(model)[name]


def test_options_change_the_loop(tmp_path: Path) -> None:
    options = ["--accumulate", "2", "--precision", "bfloat16", "--deterministic", "--score-every", "3"]
    assert dm_train("vlae", "--dataset", "squares", *SHORT, "--out", str(tmp_path), *options) == 0
    settings = checkpoints.read_description(tmp_path / "model.safetensors")["settings"]
    assert (settings["accumulate"], settings["precision"], settings["deterministic"]) == (2, "bfloat16", True)
    assert len((tmp_path / "scores.csv").read_text().splitlines()) == 3


def test_pairs_need_a_grid_and_nothing_is_written_without(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Photos:
        name, image_shape, images = "photos", Squares.image_shape, Squares.images
        __len__ = Squares.__len__

    monkeypatch.setattr(datasets, "load_dataset", lambda name, root: Photos())
    assert dm_train("ada-gvae", "--dataset", "photos", *SHORT, "--out", str(tmp_path / "run")) == 2
    assert "needs a data set with an image for every combination of factors" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_a_full_disk_is_exit_code_1_and_names_the_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    images = Squares.images

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def fill(self: Squares, indices: Any) -> Any:
        monkeypatch.setattr(os, "fsync", full)
        return images(self, indices)

    with monkeypatch.context():
        monkeypatch.setattr(Squares, "images", fill)
        assert dm_train("vlae", "--dataset", "squares", *SHORT, "--out", str(tmp_path)) == 1
    last = tmp_path / "last.safetensors"
    assert capsys.readouterr().err == (
        f"dm-train: failed: No space left on device; the last good checkpoint is {last} (step 0)\n"
    )


def test_the_list_names_every_model_and_its_paper(capsys: pytest.CaptureFixture[str]) -> None:
    assert dm_train("list") == 0
    out = capsys.readouterr().out
    entries = {entry.splitlines()[0]: entry for entry in out.split("\n\n")[:-1]}
    assert list(entries) == list(MODELS)
    assert "presets: smoke, demo, paper, paper for shapes3d" in entries["vlae"]
    for name, entry in entries.items():
        assert (" 20" in entry) == (name != "autoencoder"), name  # a year
        assert max(map(len, entry.splitlines())) <= 90


@pytest.mark.parametrize("model", list(MODELS))
def test_help_shows_every_setting_with_its_default_meaning_and_presets(
    model: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert dm_train(model, "--help") == 0
    out = capsys.readouterr().out
    own = out.partition("Settings of the model")[2]
    for name, default in defaults_of(model).items():
        shown = tuple(default) if isinstance(default, list) else default
        line = next(line for line in own.splitlines() if line.startswith(f"  {name} = "))
        assert ast.literal_eval(line.partition(" = ")[2]) == shown
    documented = cards.card(model)
    for name in ("smoke", "demo", "paper"):
        assert documented.presets[name][0], name  # why
        values = documented.presets[name][1]
        arguments = recipe.read_preset(model, "sprites", name).arguments
        assert {key: json.loads(value) for key, (value, _) in values.items()} == arguments


def test_help_of_one_model_in_full(capsys: pytest.CaptureFixture[str]) -> None:
    assert dm_train("pro-vlae", "--help") == 0
    out = " ".join(capsys.readouterr().out.split())
    assert "Z. Li, J. Murkute, P. Gyawali, L. Wang," in out
    assert (
        "wake_steps = (0, 5000, 10000) The training step at which each layer wakes, the top layer first. "
        "In smoke: [0, 200, 400] (every stage is visited); demo: [0, 5500, 11000]"
    ) in out
    assert "paper with --dataset shapes3d: the authors' published script" in out
    assert not re.findall(r"(?:smoke|demo|paper)\.\w+", out)  # --preset takes none of these


def test_the_bar_is_on_stderr(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = [a for a in SHORT if a != "--quiet"]
    assert dm_train("vlae", "--dataset", "squares", *arguments, "--out", str(tmp_path)) == 0
    out, err = capsys.readouterr()
    assert out.count("\n") == 1
    assert "6/6" in err


def test_resume_takes_the_runs_own_settings(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = str(tmp_path / "run")
    assert dm_train("vlae", "--dataset", "squares", *SHORT, "--out", run, "--seed", "3") == 0
    assert dm_train("vlae", "--out", run, "--resume", "--quiet", "--steps", "8") == 0
    description = checkpoints.read_description(tmp_path / "run" / "model.safetensors")
    assert (description["step"], description["settings"]["seed"]) == (8, 3)
    assert description["command"].startswith("dm-train vlae --dataset squares --preset smoke --steps 6")
    capsys.readouterr()
    assert dm_train("vlae", "--out", run, "--resume", "--seed", "4") == 2
    assert "seed 3 -> 4" in capsys.readouterr().err
    assert dm_train("vlae", "--out", run, "--resume", "--preset", "demo") == 2
    assert "--preset is 'demo', but the run" in capsys.readouterr().err
    assert dm_train("pro-vlae", "--out", run, "--resume") == 2
    assert "model is 'pro-vlae'" in capsys.readouterr().err


def test_too_few_steps_for_a_run_are_refused_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """And no stage that was trained is said not to be."""
    run, stages = str(tmp_path / "run"), ["--set", "wake_steps=[0,1,4]"]
    assert dm_train("pro-vlae", "--dataset", "squares", *SHORT, *stages, "--out", run) == 0
    capsys.readouterr()
    assert dm_train("pro-vlae", "--out", run, "--resume", "--steps", "3", "--quiet") == 2
    err = capsys.readouterr().err
    assert "has taken 6 steps, and steps is 3" in err
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["pro-vlea"], "pro-vlea"),
        (["vlae", "--dataset", "circles"], "unknown data set 'circles'"),
        (["vlae", "--preset", "tiny"], "unknown preset 'tiny' of vlae"),
        (["vlae", "--seed", "one"], "Invalid value for '--seed'"),
        (["vlae", "--bogus"], "--bogus"),
        (["beta-vae", "--latents", "3"], "--latents is a setting of beta-vae: --set latents=VALUE"),
        (
            ["pro-vlae", "--wake-steps=[0,1,2]"],
            "--wake-steps is a setting of pro-vlae: --set wake_steps=VALUE",
        ),
        (["vlae", "--set", "gamma=1"], "vlae has no setting 'gamma'"),
        (["vlae", "--set", "gamma"], "must have the form name=value"),
        (["vlae", "--seed", "1", "--seed", "2"], "--seed is given twice"),
        (["vlae", "--set", "layers=2", "--set", "layers=3"], "layers is given twice by --set; give it once"),
        (["beta-vae", "--set", "beta=4", "--beta", "1"], "beta is given twice by --beta and --set"),
        (
            ["vlae", "--resume"],
            "--resume needs --out, the folder of the run to go on with, such as runs/vlae-sprites-demo-0",
        ),
        (["vlae", "--resume", "--out", "nowhere"], "there is no checkpoint nowhere"),
        (["vlae", "--dataset", "squares", "--device", "abacus"], "device 'abacus'"),
        (["vlae", "--dataset", "squares", "--precision", "float8"], "precision is 'float8'"),
        (["vlae", "--dataset", "squares", "--steps", "0"], "steps is 0"),
        (["vlae", "--dataset", "squares", "--batch-size", "10000000"], "it must be at most 625, the number"),
        (["vlae", "--dataset", "squares", "--accumulate", "0"], "accumulate is 0"),
        (["vlae", "--dataset", "squares", "--devices", "3"], "must be a multiple of devices = 3"),
        (["vlae", "--dataset", "squares", "--logger", "paper"], "logger is 'paper'; it must be one of none"),
        (["ada-gvae", "--dataset", "squares", "--set", "changed_factors=9"], "changed_factors is 9"),
        (["vlae", "--dataset", "squares", "--set", "latents_per_layer=0"], "latents_per_layer is 0"),
        (["beta-vae", "--dataset", "squares", "--beta", "-1"], "beta is -1.0; it must be at least 0"),
        (["pro-vlae", "--dataset", "squares", "--set", "gamma=-1"], "gamma is -1; it must be at least 0"),
        (["pro-vlae", "--dataset", "squares", "--set", "beta=NaN"], "beta is nan; it must be at least 0"),
        (
            ["vlae", "--dataset", "squares", "--set", "layers=many"],
            "layers is 'many'; it must be of the kind of 3",
        ),
        (
            ["pro-vlae", "--dataset", "squares", "--set", "wake_steps=7"],
            "wake_steps is 7; it must be of the kind of [0, 5000, 10000]",
        ),
        (["pro-vlae", "--dataset", "squares", "--set", "wake_steps=[0,5.5]"], "wake_steps has 5.5; each"),
        (
            ["pro-vlae", "--dataset", "squares", "--steps", "20", "--set", "wake_steps=[0,10,20]"],
            "the stage of pro-vlae that begins at step 20 is never trained, since training ends after 20 steps",
        ),
        (
            ["beta-vae", "--dataset", "squares", "--steps", "20", "--set", "capacity=25"],
            "the capacity of beta-vae ends at 0.005 of 25 nats",
        ),
        (
            [
                *("teacher-student", "--dataset", "squares", "--seeds", "0", "--minutes", "0"),
                *("--set", "grow_steps=[1,2,3,4,5,6,99999]"),
            ],
            "the stage of teacher-student that begins at step 99999 is never trained",
        ),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(
    arguments: list[str],
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert dm_train(*arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert said in err
    assert err.startswith("dm-train: ")
    assert err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_a_failure_is_one_line_and_exit_code_1(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(self: Squares, indices: Any) -> None:
        raise RuntimeError("the disk is gone")

    monkeypatch.setattr(Squares, "images", fail)
    arguments = ["vlae", "--dataset", "squares", *SHORT, "--out", str(tmp_path)]
    assert dm_train(*arguments) == 1
    assert (
        capsys.readouterr().err == "dm-train: failed: RuntimeError: the disk is gone (--debug shows where)\n"
    )
    (tmp_path / "last.safetensors").unlink()
    assert dm_train(*arguments, "--debug") == 1
    assert "Traceback" in capsys.readouterr().err


def test_a_loss_that_is_not_finite_is_exit_code_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["vlae", "--dataset", "squares", *SHORT, "--out", str(tmp_path), "--learning-rate", "1e30"]
    assert dm_train(*arguments) == 1
    err = capsys.readouterr().err
    assert "the loss was not finite at step" in err
    assert "last.safetensors" in err


def test_interrupted_is_exit_code_130_and_names_the_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    images = Squares.images
    calls: list[int] = []

    def interrupt(self: Squares, indices: Any) -> Any:
        calls.append(1)
        if len(calls) == 2:
            os.kill(os.getpid(), signal.SIGINT)
        return images(self, indices)

    with monkeypatch.context() as patch:
        patch.setattr(Squares, "images", interrupt)
        assert dm_train("vlae", "--dataset", "squares", *SHORT, "--out", str(tmp_path)) == 130
    err = capsys.readouterr().err
    assert "stopped after step" in err
    assert str(tmp_path / "last.safetensors") in err
    assert dm_train("vlae", "--out", str(tmp_path), "--resume", "--quiet") == 0


def test_help_needs_no_torch() -> None:
    script = (
        "import sys; sys.modules['torch'] = None; from reference_models.cli.train import run;"
        "assert run(['--help']) == 0 and run(['pro-vlae', '--help']) == 0 and run(['list']) == 0; sys.exit(run(['vlae']))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 2, done.stderr
    assert "--preset" in done.stdout
    assert re.fullmatch(
        r'dm-train: error: torch is not installed; .*pip install .*\[models\]"\n', done.stderr
    )


def test_several_seeds_are_runs_of_their_own(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    runs = ["pro-vlae", "--dataset", "squares", *SHORT, "--out", str(tmp_path), "--seeds", "0-1,5"]
    assert dm_train(*runs, "--minutes", "0") == 0
    out, err = capsys.readouterr()
    assert (out, err) == (
        "",
        "dm-train: time is up: 3 of 3 runs are not finished; the same command goes on\n",
    )
    assert dm_train(*runs) == 0
    paths = [tmp_path / f"seed-{seed}" / "model.safetensors" for seed in (0, 1, 5)]
    assert capsys.readouterr().out.split() == [str(path) for path in paths]
    assert [checkpoints.read_description(path)["seed"] for path in paths] == [0, 1, 5]
    alone = tmp_path / "alone"
    assert dm_train("pro-vlae", "--dataset", "squares", *SHORT, "--out", str(alone), "--seed", "5") == 0
    assert (alone / "model.safetensors").stat().st_size == paths[2].stat().st_size
    a, b = (checkpoints.read_tensors(p, "model.") for p in (alone / "model.safetensors", paths[2]))
    assert all(bool((a[name] == b[name]).all()) for name in a)

    capsys.readouterr()
    assert dm_train(*runs) == 2
    assert "seed-0 already holds a run; resume it" in capsys.readouterr().err
    longer = ["8" if option == "6" else option for option in runs] + ["--resume"]
    assert dm_train(*longer) == 0
    assert [checkpoints.read_description(path)["step"] for path in paths] == [8, 8, 8]

    (tmp_path / "seed-5" / "last.safetensors").unlink()
    capsys.readouterr()
    assert dm_train(*longer) == dm_train(*runs[:-1], "5,7") == 2
    assert capsys.readouterr().err.count("seed-5 already holds model.safetensors of a run, which cannot") == 2
    assert not (tmp_path / "seed-7").exists()


def test_a_preset_serves_fewer_images_than_its_batch_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Squares, "__len__", lambda self: 3)
    given = [option for option in SHORTEST if option not in ("--batch-size", "2")]
    given = ["vlae", "--dataset", "squares", *given, "--out", str(tmp_path)]
    for more in (["--batch-size", "4"], ["--batch-size", "4", "--seeds", "0"]):
        assert dm_train(*given, *more) == 2
        said = "batch_size is 4; it must be at most 3, the number of images of squares"
        assert said in capsys.readouterr().err
        assert not list(tmp_path.iterdir())
    assert dm_train(*given) == 0
    assert checkpoints.read_description(tmp_path / "model.safetensors")["settings"]["batch_size"] == 32
    assert dm_train(*given, "--resume", "--batch-size", "32") == 0


def test_runs_that_could_not_begin_are_begun_as_corrected(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(self: Squares, indices: Any) -> Any:
        raise MemoryError

    given = ["vlae", "--dataset", "squares", *SHORTEST, "--out", str(tmp_path), "--seeds", "0-1"]
    with monkeypatch.context() as patch:
        patch.setattr(Squares, "images", fail)
        assert dm_train(*given) == 1
    weights = [tmp_path / f"seed-{seed}" / "model.safetensors" for seed in (0, 1)]
    assert [path.with_name("last.safetensors").exists() for path in weights] == [True, True]
    assert dm_train(*given, "--beta", "2") == 0
    assert [checkpoints.read_description(path)["arguments"]["beta"] for path in weights] == [2.0, 2.0]
    capsys.readouterr()
    assert dm_train(*given, "--beta", "3") == 2
    assert "is another run (beta 2.0 -> 3.0)" in capsys.readouterr().err


def test_seeds_that_begin_later_are_as_those_that_were_begun(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The folder says what the runs are: --resume needs none of the first options."""
    begun = ["beta-vae", "--dataset", "squares", *SHORTEST, "--beta", "1", "--set", "latents=2"]
    assert dm_train(*begun, "--out", str(tmp_path), "--seeds", "0") == 0
    resumed = ["beta-vae", "--resume", "--quiet", "--out", str(tmp_path)]
    assert dm_train(*resumed, "--seeds", "1") == 0
    first, later = (
        checkpoints.read_description(tmp_path / f"seed-{seed}" / "model.safetensors") for seed in (0, 1)
    )
    assert (first["arguments"]["beta"], first["settings"]["steps"]) == (1, 1)
    assert later == {**first, "seed": 1, "settings": {**first["settings"], "seed": 1}}
    capsys.readouterr()
    assert dm_train(*resumed, "--seeds", "3,0", "--beta", "4") == 2
    assert "seed-0/last.safetensors is another run (beta 1.0 -> 4.0)" in capsys.readouterr().err
    other = ["--out", str(tmp_path / "seed-4"), "--seed", "4", "--learning-rate", "1e-4"]
    assert dm_train(*begun, *other) == 0
    capsys.readouterr()
    assert dm_train(*resumed, "--seeds", "3,0,4") == 2
    said = (
        "seed-4 and {}/seed-0 are runs of several settings (learning_rate 0.0001 and 0.001); go on with each"
    )
    said = said.format(tmp_path)
    assert said in capsys.readouterr().err
    assert not (tmp_path / "seed-3").exists()


def test_a_data_set_without_a_preset_of_its_own_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    loud = ["beta-vae", "--dataset", "squares", *(a for a in SHORTEST if a != "--quiet")]
    said = "dm-train: beta-vae has no preset smoke for squares: it takes that of sprites\n"
    assert dm_train(*loud, "--out", str(tmp_path / "one")) == 0
    assert capsys.readouterr().err.count(said) == 1
    assert dm_train(*loud, "--out", str(tmp_path), "--seeds", "0") == 0
    assert capsys.readouterr().err.count(said) == 1


@pytest.mark.parametrize(("model", "said"), [("beta-tcvae", 1), ("beta-vae", 0)])
def test_split_batches_are_said_where_images_are_compared(
    model: str, said: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    loud = [model, "--dataset", "squares", *(a for a in SHORTEST if a != "--quiet"), "--accumulate", "3"]
    assert dm_train(*loud, "--out", str(tmp_path)) == 0
    note = (
        f"dm-train: {model} compares the images of a batch, here within each of 3 parts of 2: that is another "
        "objective than one batch of 6 has\n"
    )
    assert capsys.readouterr().err.count(note) == said


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--seeds", "5-3,1"], "--seeds is '5-3,1'; the range 5-3 ends before it begins"),
        (["--seeds", "1,1"], "--seeds is '1,1'; it must name no seed twice"),
        (["--seeds", ""], "--seeds is ''; accepted: seeds and ranges"),
        (["--seeds", "one"], "--seeds is 'one'; accepted: seeds and ranges"),
        (["--seeds", "0-1", "--seed", "4"], "--seed and --seeds do not go together"),
        (["--seeds", "0-1", "--devices", "2"], "--seeds trains each run on one device"),
        (["--data-share", "2"], "data_share is 2.0; it must be 0 to 1"),
    ],
)
def test_seeds_and_shares_that_make_no_sense_are_refused(
    options: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert dm_train("vlae", "--dataset", "squares", *SHORT, "--out", str(tmp_path / "run"), *options) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_a_run_whose_time_is_up_ends_with_0_and_goes_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = ["vlae", "--dataset", "squares", *SHORT, "--out", str(tmp_path)]
    assert dm_train(*given, "--minutes", "0") == 0
    err = capsys.readouterr().err
    assert err.startswith("dm-train: time is up: stopped after step 1 of 6; ")
    assert not (tmp_path / "model.safetensors").exists()
    assert dm_train(*given, "--resume") == 0
    assert checkpoints.read_description(tmp_path / "model.safetensors")["step"] == 6
