"""evaluate(): the rows, the images and the encoder's answer, on a data set small enough to see."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

import disentangle_metrics as dm
import disentangle_metrics.evaluation as evaluation
from disentangle_metrics.datasets import FactorDataset, FactorGrid
from disentangle_metrics.errors import InputError
from disentangle_metrics.evaluation import evaluate
from disentangle_metrics.inputs.gaussian_posterior import GaussianPosterior

NAMES, SIZES = ("shape", "x", "y"), (3, 8, 10)
CHEAP = {"metrics": ["mig"], "anchors": False}


@pytest.fixture
def dataset() -> FactorDataset:
    """240 images of 2 x 3 pixels and 1 channel whose first three pixels are the factors times 20."""
    grid = FactorGrid(NAMES, SIZES, ("categorical", "ordinal", "ordinal"))

    def read(indices: np.ndarray) -> np.ndarray:
        images = np.zeros((len(indices), 6), np.uint8)
        images[:, :3] = grid.factors(indices) * 20
        return images.reshape(-1, 2, 3, 1)

    return FactorDataset("pixels", grid, (2, 3, 1), read)


def reader(images: np.ndarray) -> np.ndarray:
    """The factors, read off the first row of pixels."""
    assert images.dtype == np.float32
    assert images.shape[1:] == (1, 2, 3)
    return images[:, 0, 0, :] * np.float32(255 / 20)


@pytest.fixture
def scored(monkeypatch: pytest.MonkeyPatch) -> dict:
    """What score() was called with."""
    seen: dict = {}
    real = evaluation.score

    def spy(latents, factors, **options):
        seen.update(latents=latents, factors=factors, **options)
        return real(latents, factors, **options)

    spy.__signature__ = __import__("inspect").signature(real)
    monkeypatch.setattr(evaluation, "score", spy)
    return seen


def test_latents_and_factors_are_of_the_same_rows(dataset, scored) -> None:
    report = evaluate(reader, dataset, samples=100, seed=7, batch_size=32, **CHEAP)
    rows = np.random.default_rng(7).choice(240, 100, replace=False)
    np.testing.assert_array_equal(scored["factors"], dataset.factors(rows))
    np.testing.assert_allclose(scored["latents"], scored["factors"], atol=1e-5)
    assert scored["factor_names"] == list(NAMES)
    assert scored["factor_types"] == {"shape": "categorical", "x": "ordinal", "y": "ordinal"}
    assert report.provenance["dataset"] == "pixels"
    assert report.provenance["images"] == 100
    assert report.provenance["encode_seconds"] >= 0
    assert report.provenance["score_seconds"] >= 0
    assert report.provenance["encoder"] == "reader"


@pytest.mark.parametrize("samples", [None, 240, 10_000])
def test_every_row_in_order(samples, dataset, scored) -> None:
    evaluate(reader, dataset, samples=samples, **CHEAP)
    np.testing.assert_array_equal(scored["factors"], dataset.factors(np.arange(240)))


@pytest.mark.parametrize("batch_size", [1, 7, 256])
def test_batches_are_bounded_and_change_nothing(batch_size, dataset, scored) -> None:
    sizes = []

    def encode(images):
        sizes.append(len(images))
        return reader(images)

    report = evaluate(encode, dataset, samples=50, batch_size=batch_size, **CHEAP)
    assert max(sizes) <= batch_size
    first = min(batch_size, 50)
    assert sum(sizes) == 50 + first + first // 2  # the first batch twice, and half of it once more
    assert report["mig"].value == evaluate(reader, dataset, samples=50, **CHEAP)["mig"].value


def test_a_choice_of_factors(dataset, scored) -> None:
    report = evaluate(reader, dataset, factors=["y", "shape"], **CHEAP)
    np.testing.assert_array_equal(scored["factors"], dataset.factors(np.arange(240))[:, [2, 0]])
    assert report.factor_names == ("y", "shape")
    assert scored["factor_types"] == {"y": "ordinal", "shape": "categorical"}


def test_own_factor_types_are_put_over_those_of_the_data_set(dataset, scored) -> None:
    evaluate(reader, dataset, factor_types={"x": "continuous"}, **CHEAP)
    assert scored["factor_types"] == {"shape": "categorical", "x": "continuous", "y": "ordinal"}
    evaluate(reader, dataset, factor_types="categorical", **CHEAP)
    assert scored["factor_types"] == "categorical"


def test_variances_make_a_posterior(dataset, scored) -> None:
    evaluate(lambda images: (reader(images), reader(images) - 9), dataset, batch_size=100, **CHEAP)
    assert isinstance(scored["latents"], GaussianPosterior)
    np.testing.assert_array_equal(scored["latents"].mean - 9, scored["latents"].logvar)


def test_a_network_is_left_as_it_was(dataset, scored) -> None:
    torch = pytest.importorskip("torch")

    class Net(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.frozen = torch.nn.BatchNorm1d(3).eval()
            self.drop = torch.nn.Dropout(0.5)
            self.scale = torch.nn.Parameter(torch.tensor(255 / 20))

        def forward(self, images):
            assert not torch.is_grad_enabled()
            return self.drop(images[:, 0, 0, :] * self.scale)

    net = Net().train()
    net.frozen.eval()
    evaluate(net, dataset, **CHEAP)
    np.testing.assert_allclose(scored["latents"], scored["factors"], atol=1e-5)
    assert (net.training, net.drop.training, net.frozen.training) == (True, True, False)

    def fails(images):
        raise RuntimeError("wrong size")

    net.forward = fails
    with pytest.raises(InputError, match="wrong size"):
        evaluate(net, dataset, **CHEAP)
    assert net.drop.training


@pytest.mark.parametrize(
    ("encode", "message"),
    [
        (lambda images: reader(images)[:, 0], r"returned the shape \(60,\) for 60 images"),
        (lambda images: reader(images)[1:], r"returned the shape \(59, 3\) for 60 images"),
        (lambda images: images, r"returned the shape \(60, 1, 2, 3\)"),
        (lambda images: {"mean": images}, r"output mean has the shape \(60, 1, 2, 3\)"),
        (lambda images: None, "returned NoneType"),
        (lambda images: (reader(images),) * 3, "returned 3 values"),
        (
            lambda images: (reader(images), reader(images)[:, :2]),
            r"pair of the shapes \(60, 3\) and \(60, 2\)",
        ),
        (lambda images: np.where(reader(images) > 2, np.nan, 1), r"returned nan for latent \d of image \d+"),
        (lambda images: reader(images).astype(str), "real numbers"),
    ],
)
def test_bad_answers(encode, message, dataset) -> None:
    with pytest.raises(InputError, match=message):
        evaluate(encode, dataset, batch_size=60, **CHEAP)


def test_answers_that_change(dataset) -> None:
    with pytest.raises(InputError, match="3 latents for the first batch and 2 for a later one"):
        evaluate(lambda i: reader(i) if len(i) == 200 else reader(i)[:, :2], dataset, batch_size=200, **CHEAP)
    with pytest.raises(InputError, match="or variances for only some"):
        evaluate(
            lambda i: reader(i) if len(i) == 200 else (reader(i), reader(i)), dataset, batch_size=200, **CHEAP
        )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"samples": 0}, "`samples` must be a whole number of at least 1, or None for all, got 0"),
        ({"samples": 2.5}, "`samples`"),
        ({"batch_size": True}, "`batch_size`"),
        ({"seed": -1}, "`seed`"),
        ({"factors": ["shap"]}, "did you mean 'shape'"),
        ({"factors": "shape"}, "a list of names"),
        ({"factors": ["x", "x"]}, "'x' twice"),
        ({"factors": []}, "is empty"),
        ({"metrics": ["migg"]}, "did you mean 'mig'"),
        ({"metrics": "mig, sap"}, r"for several metrics pass a list: `metrics=\['mig', 'sap'\]`"),
        ({"metrics": [dm.mig]}, "got function; write 'mig'"),
        ({"metrics": [evaluate]}, "objects, got function$"),
        ({"protocol": "nobody"}, "unknown protocol"),
        ({"bins": 3}, "no option 'bins'"),
        ({"factor_types": {"z": "continuous"}}, "'z', which is none of shape, x, y"),
        ({"factor_types": ["real", None, None]}, "must be one of categorical"),
        ({"factor_names": ["a", "b", "c"]}, "no option 'factor_names'"),
    ],
)
def test_bad_options_are_found_before_encoding(options, message, dataset) -> None:
    def encode(images):
        pytest.fail("the images were encoded")

    with pytest.raises(InputError, match=message):
        evaluate(encode, dataset, **options)


def test_a_path_is_not_an_encoder(dataset) -> None:
    with pytest.raises(InputError, match=r"got str; for a model file pass `dm\.load_encoder\('model\.pt'\)`"):
        evaluate("model.pt", dataset)


@pytest.mark.parametrize("options", [{}, {"encode_with": "encode"}, {"outputs": {"mean": 0}}])
def test_a_class_is_no_encoder(dataset, options) -> None:
    with pytest.raises(InputError, match=r"`encoder` is the class dict; pass a network of it, as in `dict\("):
        evaluate(dict, dataset, **options)


def test_an_object_with_a_method_that_encodes_is_answered_with_that(dataset) -> None:
    for method, call in (
        ("encode", "`encoder.encode`"),
        ("transform", r"`lambda images: encoder\.transform"),
    ):
        with pytest.raises(InputError, match=call):
            evaluate(SimpleNamespace(**{method: reader}), dataset)
    with pytest.raises(
        InputError, match=r"got a function; to score a model pass `dm\.evaluate\(model, dataset\)`"
    ):
        dm.score(reader, dataset)


def test_a_code_that_is_drawn_is_a_check_with_a_code() -> None:
    rng = np.random.default_rng(0)
    with pytest.warns(dm.ScoreWarning, match="draws"):
        report = dm.evaluate(
            lambda images: rng.normal(size=(len(images), 2)),
            dm.load_dataset("sprites"),
            samples=200,
            metrics="mig",
            anchors=False,
        )
    assert [check.code for check in report.checks() if "draws" in check.message] == ["network_outputs"]


def test_the_part_that_encodes_and_the_output_can_be_chosen(dataset) -> None:
    torch = pytest.importorskip("torch")

    class Network(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.norm = torch.nn.BatchNorm1d(3)

        def encode(self, images):
            return torch.zeros(len(images), 3), self.norm(torch.as_tensor(images)[:, 0, 0, :])

    network = Network()
    chosen = evaluate(network, dataset, encode_with="encode", outputs={"mean": 1}, samples=None, **CHEAP)
    assert chosen["mig"].value > 0.9
    assert chosen.provenance["encoder"].endswith("Network")
    loaders = [
        (torch.tensor(dataset.images([0, 70, 150, 239])).permute(0, 3, 1, 2) / 255, np.eye(4)[:, :2])
    ] * 9
    report = evaluate(
        network.encode, loaders, outputs={"mean": 1}, **CHEAP
    )  # a method: its network is not training
    assert network.training
    assert report.shape[0] == 36
    assert network.norm.num_batches_tracked == 0


@pytest.mark.parametrize(
    ("encoder", "message"),
    [(reader, "`encode_with='encode'` is for PyTorch networks, got function; pass the method itself"),
     (dm.encoders.encoder.CallableEncoder(reader), "loaded already: give `encode_with` and `outputs` to load_encoder")],
)  # fmt: skip
def test_a_choice_that_cannot_be_made_is_refused(dataset, encoder, message) -> None:
    with pytest.raises(InputError, match=message):
        evaluate(encoder, dataset, encode_with="encode", **CHEAP)
