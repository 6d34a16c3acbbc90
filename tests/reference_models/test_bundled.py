"""The checkpoints that come with the package: complete, small, and able to reconstruct."""

from __future__ import annotations

import base64
import hashlib
import importlib
import json
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, PathDistribution, entry_points
from pathlib import Path

import pytest
import torch

from disentangle_metrics import ModelFileError, Report, load_dataset, load_encoder
from disentangle_metrics.cli.listing import listing
from disentangle_metrics.version import __version__
from reference_models import bundled
from reference_models.models import MODELS
from reference_models.trained import checkpoints
from reference_models.trained.load import stage_ends

POINTS = {point.name: point for point in entry_points(group="disentangle_metrics.checkpoints")}


@pytest.fixture(params=sorted(POINTS))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_it_is_complete_and_small(name: str) -> None:
    path = POINTS[name].load()()
    assert path.name == f"{name}.safetensors"
    assert path.stat().st_size <= 12_000_000
    description = checkpoints.read_description(path)
    assert json.loads(path.with_suffix(".json").read_text()) == description
    assert name == f"{description['architecture']}-{description['dataset']}"
    trained = f"dm-train {description['architecture']} --dataset {description['dataset']}"
    compared = f"dm-reproduce --plan gpu --dataset {description['dataset']}"
    assert description["command"].startswith((trained, compared))
    assert description["step"] == description["settings"]["steps"]
    log = path.with_suffix(".csv").read_text().splitlines()
    assert log[0].startswith("step,loss,reconstruction,kl")
    assert path.with_suffix(".csv").stat().st_size < 200_000
    assert int(log[-1].split(",")[0]) == description["step"]


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=pytest.mark.slow if "rooms" in name else ()) for name in sorted(POINTS)],
)
def test_it_reconstructs_far_better_than_any_constant_picture(name: str, tmp_path: Path) -> None:
    path = POINTS[name].load()()
    description = checkpoints.read_description(path)
    # Neither touches the user's cache: sprites are drawn directly, the rooms' geometry goes to tmp_path.
    options = {"sprites": {"cache": False}, "rooms": {"root": tmp_path}}[description["dataset"]]
    dataset = load_dataset(description["dataset"], **options)
    module, _, attribute = MODELS[description["architecture"]].partition(":")
    model = getattr(importlib.import_module(module), attribute)(**description["arguments"])
    model.load_state_dict(checkpoints.read_tensors(path, "model."), strict=True)
    indices = torch.randint(len(dataset), (64,), generator=torch.Generator().manual_seed(0)).numpy()
    images = torch.from_numpy(dataset.images(indices)).permute(0, 3, 1, 2) / 255
    with torch.no_grad():
        mean, logvar = model(images)
        shown = torch.sigmoid(model.decode(mean))
    assert mean.shape == logvar.shape
    error = (shown - images).square().mean()
    assert error < 0.25 * images.var(dim=0).mean()


def test_it_is_loaded_by_name(name: str) -> None:
    assert load_encoder(name, device="cpu").source.architecture == name.rpartition("-")[0]


def test_its_path_needs_no_torch() -> None:
    script = (
        "import sys; from reference_models.bundled import pro_vlae_sprites; pro_vlae_sprites();"
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


def test_its_scores_are_those_of_this_file_and_those_the_docs_show(name: str) -> None:
    path = POINTS[name].load()()
    report = Report.from_json(path.with_suffix(".scores.json"))
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert report.provenance["encoder"]["sha256"] == digest
    page = (Path(__file__).parents[2] / "docs" / "models.md").read_text(encoding="utf-8")
    row = next(line for line in page.splitlines() if line.startswith(f"| `{name}` |"))
    shown = [f"{report[key].value:.3f}" for key in ("mig", "mig_sup", "factor_vae")]
    assert row.split(" | ")[4:7] == shown


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Site-packages with the distribution of the checkpoints, seen from an installation outside a clone."""
    info = tmp_path / f"disentangle_metrics_checkpoints-{__version__}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Name: {bundled.DISTRIBUTION}\nVersion: {__version__}\n")
    weights = tmp_path / bundled.PLACE / "beta-vae-sprites.safetensors"
    weights.parent.mkdir()
    weights.write_bytes((bundled.FOLDER / weights.name).read_bytes())
    digest = base64.urlsafe_b64encode(hashlib.sha256(weights.read_bytes()).digest()).decode().rstrip("=")
    record = f"{bundled.PLACE}/{weights.name},sha256={digest},{weights.stat().st_size}\n"
    (info / "RECORD").write_text(record)
    monkeypatch.setattr(bundled, "FOLDER", tmp_path / "no clone")
    monkeypatch.setattr(bundled, "distribution", lambda name: PathDistribution(info))
    return tmp_path


def test_outside_a_clone_they_lie_in_a_distribution_of_their_own(installed: Path) -> None:
    encoder = load_encoder("beta-vae-sprites", device="cpu")
    assert Path(encoder.source.path).parent == installed / "disentangle_metrics_checkpoints"


def test_without_the_distribution_one_line_says_what_to_install(
    installed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(name: str) -> None:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(bundled, "distribution", missing)
    line = (
        r"^the bundled checkpoint vlae-sprites is not installed; it comes with: .*pip install .*\[models\]\"$"
    )
    with pytest.raises(ModelFileError, match=line):
        load_encoder("vlae-sprites")
    with pytest.raises(ModelFileError, match=line):
        stage_ends(Path("vlae-sprites"))
    assert "vlae-sprites      not installed; the extra models has it" in listing()


def test_another_version_is_named(installed: Path) -> None:
    info = next(installed.glob("*.dist-info"))
    (info / "METADATA").write_text(f"Name: {bundled.DISTRIBUTION}\nVersion: 0.0.9\n")
    with pytest.raises(
        ModelFileError,
        match=rf"^disentangle-metrics-checkpoints 0.0.9 is installed, and version {__version__} is",
    ):
        bundled.beta_vae_sprites()


@pytest.mark.parametrize("left", [100_000, None])
def test_a_file_that_is_cut_or_gone_is_named(installed: Path, left: int | None) -> None:
    path = installed / bundled.PLACE / "beta-vae-sprites.safetensors"
    damage = "the file is gone" if left is None else f"{left:,} of {path.stat().st_size:,} bytes"
    if left is None:
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[:left])
    with pytest.raises(ModelFileError, match=rf"is damaged \({damage}\): uninstall disent"):
        load_encoder("beta-vae-sprites")


def test_a_file_with_another_byte_is_named(installed: Path) -> None:
    path = installed / bundled.PLACE / "beta-vae-sprites.safetensors"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 255
    path.write_bytes(content)
    with pytest.raises(ModelFileError, match=r"is damaged \(other bytes than were installed\): uninstall"):
        load_encoder("beta-vae-sprites")
