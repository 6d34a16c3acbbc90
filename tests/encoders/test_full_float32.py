"""An encoder that is evaluated computes in full float32, and leaves the user's choices as they were."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import disentangle_metrics as dm
from disentangle_metrics.kit import full_float32

torch = pytest.importorskip("torch")


def choices():
    backends = torch.backends
    places = (backends.cudnn.conv, backends.cudnn.rnn, backends.cuda.matmul, backends.mkldnn.conv)
    return [place.fp32_precision for place in (*places, backends.mkldnn.rnn, backends.mkldnn.matmul)]


@pytest.fixture(autouse=True)
def put_back():
    before = choices()
    yield
    assert choices() == before


class Watching(torch.nn.Module):
    """Notes what holds while it is called."""

    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.ones(2, 16))
        self.seen = []

    def forward(self, images):
        self.seen.append((choices(), torch.is_autocast_enabled("cpu")))
        return images.flatten(1) @ self.weight.T


IMAGES = np.random.default_rng(0).random((3, 1, 4, 4), dtype=np.float32)


def test_an_encoder_is_evaluated_in_full_float32():
    network = Watching()
    with torch.autocast("cpu", torch.bfloat16):
        mean = dm.Encoder(network)(IMAGES)
        assert torch.is_autocast_enabled("cpu")
    assert network.seen == [(["ieee"] * 6, False)] * 3  # twice, and half of the images once more
    expected = np.repeat(IMAGES.astype(float).sum((1, 2, 3))[:, None], 2, axis=1)
    np.testing.assert_allclose(mean, expected, rtol=1e-6)  # bfloat16 would be wrong by 1e-2


def test_the_users_choices_hold_again_afterwards():
    backends = torch.backends
    before = backends.cuda.matmul.fp32_precision, backends.cudnn.conv.fp32_precision
    try:
        backends.cuda.matmul.fp32_precision, backends.cudnn.conv.fp32_precision = "tf32", "ieee"
        mine = choices()
        with full_float32("cuda"):
            assert choices() == ["ieee"] * 6
        with pytest.raises(ZeroDivisionError), full_float32("cuda"):
            raise ZeroDivisionError
        assert choices() == mine
    finally:
        backends.cuda.matmul.fp32_precision, backends.cudnn.conv.fp32_precision = before


def test_the_older_setting_is_put_back_too():
    before, mkldnn = torch.get_float32_matmul_precision(), torch.backends.mkldnn.matmul.fp32_precision
    try:
        torch.set_float32_matmul_precision("high")
        with full_float32("cpu"):
            assert not torch.backends.cuda.matmul.allow_tf32
        assert torch.get_float32_matmul_precision() == "high"
        assert torch.backends.cuda.matmul.allow_tf32
    finally:
        torch.set_float32_matmul_precision(before)
        torch.backends.mkldnn.matmul.fp32_precision = mkldnn
        torch.backends.cuda.matmul.fp32_precision = "none"


def test_a_network_in_half_precision_stays_so():
    network = Watching().to(torch.bfloat16)
    dm.Encoder(network)(IMAGES)
    assert network.weight.dtype == torch.bfloat16


# Boosted trees choose between splits of nearly equal gain. Noise of 1e-7 deviations on the latents, as little
# as two devices differ by, moves DCI by up to 0.003 on one CPU (docs/training_on_a_gpu.md).
OF_TREES = ("dci_disentanglement", "dci_completeness", "dci_informativeness")
DETERMINISTIC = ["mig", "mig_sup", "jemmig", "dcimig", "modularity", "mcc", "total_correlation"]
WITH_PROBES = ["dci", "sap", "explicitness", "z_max_variance", "factor_vae", "irs"]


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize("checkpoint", ["pro-vlae-sprites", "beta-vae-sprites"])
def test_scores_are_the_same_on_the_gpu(checkpoint):
    from reference_models.trained.load import stage_ends

    (path,) = stage_ends(Path(checkpoint))
    reports = [
        dm.evaluate(
            dm.load_encoder(path, device=device),
            dm.load_dataset("sprites"),
            metrics=[*DETERMINISTIC, *WITH_PROBES],
            anchors=False,
        )
        for device in ("cpu", "cuda")
    ]
    for (name, host), device in zip(reports[0].items(), reports[1].values(), strict=True):
        assert host.signature == device.signature
        close = 1e-5 if name in DETERMINISTIC else 5e-3 if name in OF_TREES else 1e-3
        assert device.value == pytest.approx(host.value, abs=close), name
