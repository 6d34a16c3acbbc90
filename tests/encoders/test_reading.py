"""Networks in every form in which they encode: whole, frozen, and by one of their methods."""

from __future__ import annotations

import re
import warnings

import numpy as np
import pytest

torch = pytest.importorskip("torch")

import disentangle_metrics as dm  # noqa: E402
from disentangle_metrics.encoders import Encoder  # noqa: E402

SPRITES = dm.load_dataset("sprites")
OPTIONS = {"samples": 150, "metrics": ["mig", "mcc"], "anchors": False}
pytestmark = pytest.mark.filterwarnings("ignore::disentangle_metrics.errors.ScoreWarning")


class Network(torch.nn.Module):
    """Codes of two rows of pixels, by methods that take tensors or arrays."""

    def __init__(self):
        super().__init__()
        self.scale = torch.nn.Parameter(torch.tensor(2.0))
        self.drop = torch.nn.Dropout(0.5)
        self.seen = []

    def forward(self, images):
        return torch.zeros_like(images)

    def encode(self, images):
        self.seen.append(type(images).__name__)
        return self.drop(images.flatten(1)[:, 2000:2100].sum(1, keepdim=True) * self.scale)

    def encode_arrays(self, images):
        self.seen.append(type(images).__name__)
        return self.encode(torch.from_numpy(images)).detach().numpy()

    def pair(self, images):
        code = self.encode(images)
        return code.repeat(1, 2), torch.full((len(code), 2), 0.3)


def test_a_method_that_takes_tensors_encodes_a_data_set():
    network = Network()
    whole = dm.evaluate(network, SPRITES, encode_with="encode", **OPTIONS)
    report = dm.evaluate(network.encode, SPRITES, **OPTIONS)
    assert {key: score.to_dict() for key, score in report.items()} == {
        key: score.to_dict() for key, score in whole.items()
    }
    assert report["mcc"].value > 0
    assert network.training
    assert network.drop.training
    lower = dm.evaluate(network.encode, SPRITES, scale="-1..1", **OPTIONS)
    assert lower["mcc"].value == pytest.approx(report["mcc"].value)  # a correlation is the same in any range


def test_a_method_that_takes_arrays_gets_arrays():
    network = Network()
    report = dm.evaluate(network.encode_arrays, SPRITES, **OPTIONS)
    assert report["mcc"].value == dm.evaluate(network.encode, SPRITES, **OPTIONS)["mcc"].value
    assert network.seen[:2] == ["ndarray", "Tensor"]


class Redrawing(torch.nn.Module):
    """Its forward() returns reconstructions alone."""

    def __init__(self):
        super().__init__()
        self.body = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64 * 64, 3))

    def encode(self, images):
        return self.body(images)

    def forward(self, images):
        return images + 0 * self.encode(images).mean()


@pytest.mark.parametrize("wrap", [torch.nn.DataParallel, torch.optim.swa_utils.AveragedModel])
def test_a_network_that_another_holds_is_encoded_as_it_is_alone(wrap):
    network = Redrawing()
    wrapped = wrap(network)
    report = dm.evaluate(wrapped, SPRITES, **OPTIONS)
    assert report["mcc"].value == dm.evaluate(network, SPRITES, **OPTIONS)["mcc"].value
    assert "the codes are those of the network's module.encode(), since its" in str(report.warnings)
    with pytest.raises(dm.InputError, match="has no such part; it has module.encode, module"):
        dm.evaluate(wrapped, SPRITES, encode_with="encode", **OPTIONS)


def test_images_with_other_channels_are_answered_with_how_pictures_are_read():
    network = torch.nn.Sequential(torch.nn.Conv2d(3, 2, 64), torch.nn.Flatten())
    hint = r"pictures of a folder are read with 3 by `dm\.load_dataset\(..., channels=3\)`: RuntimeError"
    with pytest.raises(dm.InputError, match=hint) as error:
        dm.evaluate(network, SPRITES, **OPTIONS)
    assert "pool" not in str(error.value)


def test_a_method_that_can_encode_neither_says_what_a_network_says():
    network = torch.nn.Linear(3, 2)
    with pytest.raises(dm.InputError, match="the network cannot encode a batch of shape"):
        dm.evaluate(network.forward, SPRITES, **OPTIONS)


@pytest.mark.parametrize("batch_size", [4, 150])
def test_what_a_method_returns_is_read_as_that_of_a_network(batch_size):
    options = {**OPTIONS, "batch_size": batch_size}
    with pytest.raises(dm.InputError, match="output 1 is positive everywhere"):
        dm.evaluate(Network().pair, SPRITES, **options)
    choice = {"mean": 0, "std": 1}
    assert dm.evaluate(Network().pair, SPRITES, outputs=choice, **options)["mcc"].value > 0


def test_a_function_of_tensors_encodes_a_data_set():
    network = Network().eval()
    expected = dm.evaluate(network, SPRITES, encode_with="encode", **OPTIONS)["mcc"].value
    network.seen.clear()
    report = dm.evaluate(lambda images: network.encode(images), SPRITES, **OPTIONS)
    assert report["mcc"].value == expected
    assert network.seen[:2] == ["ndarray", "Tensor"]
    assert "ndarray" not in network.seen[1:]

    def posterior(images):
        return {"mu": network.encode(images.to("cpu")), "log_var": images.sum((1, 2, 3))[:, None]}

    assert dm.evaluate(posterior, SPRITES, **OPTIONS)["mcc"].value == expected


def test_a_function_that_changes_arrays_before_it_fails_gets_the_same_images():
    def encode(images):
        images *= 0.0 if isinstance(images, np.ndarray) else 1.0
        return images[:, :, 0, :].flatten(1)

    seen = []
    dm.evaluate(lambda images: seen.append(images.sum()) or encode(images), SPRITES, **OPTIONS)
    assert float(seen[0]) == pytest.approx(float(seen[1]), rel=1e-5)


def test_a_function_that_can_encode_neither_ends_with_its_own_error_and_says_what_was_tried():
    with pytest.raises(TypeError) as caught:
        dm.evaluate(lambda images: torch.nn.Linear(3, 2)(images), SPRITES, **OPTIONS)
    (note,) = caught.value.__notes__
    assert re.search(
        r"NumPy array \(\d+, 1, 64, 64\)\. With a PyTorch tensor .* failed too: RuntimeError", note
    )
    with pytest.raises(dm.InputError, match="for 150 images"):  # of the tensors, which it takes
        dm.evaluate(lambda images: images.flatten(1).sum(0), SPRITES, **OPTIONS)


class Parts(torch.nn.Module):
    """A network without forward()."""

    def __init__(self):
        super().__init__()
        self.body = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(4096, 3))


@pytest.mark.parametrize("own", ["encode", "encoder"])
def test_a_network_without_forward_is_encoded_by_its_own_part_or_says_which_it_has(own):
    network = Parts()
    with pytest.raises(
        dm.InputError, match=r"Parts has no forward\(\); choose .* `encode_with`; its parts are body"
    ):
        dm.evaluate(network, SPRITES, **OPTIONS)
    expected = dm.evaluate(network, SPRITES, encode_with="body", **OPTIONS)["mcc"].value
    setattr(network, own, network.body if own == "encoder" else network.body.forward)
    report = dm.evaluate(network, SPRITES, **OPTIONS)
    assert report["mcc"].value == expected
    assert any(
        f"the network's {'encode()' if own == 'encode' else 'part'}" in text for text in report.warnings
    )


class Autoencoder(torch.nn.Module):
    """Returns reconstructions alone; its code is behind a change of range and a hidden layer."""

    def __init__(self):
        super().__init__()
        self.encoder = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(4096, 8), torch.nn.Tanh())
        self.to_code = torch.nn.Linear(8, 3)
        self.decoder = torch.nn.Linear(3, 4096)
        self.twice = torch.nn.Linear(3, 3)
        self.calls = 0

    def code(self, images):
        return self.to_code(self.encoder(2 * images - 1))

    def forward(self, images):
        self.calls += 1
        code = self.twice(self.twice(self.code(images)))
        return self.decoder(code)


def test_reconstructions_are_not_taken_for_the_code():
    network = Autoencoder()
    report = dm.evaluate(network, SPRITES, **OPTIONS)
    assert report.shape == (150, 8, 5)
    assert any(
        "the network's part 'encoder', since its forward() returns none" in text for text in report.warnings
    )
    bare = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(4096, 4096))
    report = dm.evaluate(bare, SPRITES, samples=150, metrics="mig", anchors=False)
    assert any("as wide as the images" in text for text in report.warnings)


def test_a_part_within_a_network_gets_what_the_network_gives_it():
    network = Autoencoder()
    expected = dm.evaluate(network.code, SPRITES, **OPTIONS)["mcc"].value
    assert dm.evaluate(network, SPRITES, encode_with="to_code", **OPTIONS)["mcc"].value == expected
    reader = Encoder(network, encode_with="to_code")
    images = torch.from_numpy(dm.kit.network_input(SPRITES.images(np.arange(5))))
    with torch.no_grad():
        np.testing.assert_array_equal(reader(images), network.code(images).numpy())


def test_a_part_that_is_called_twice_or_never_gets_the_inputs():
    whole = torch.nn.Module()
    whole.body = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(4096, 3))
    whole.forward = lambda images: whole.body(images) + whole.body(images + 1)
    images = torch.from_numpy(dm.kit.network_input(SPRITES.images(np.arange(5))))
    with torch.no_grad():
        np.testing.assert_array_equal(Encoder(whole, encode_with="body")(images), whole.body(images).numpy())


def test_a_part_is_named():
    network = torch.nn.Sequential(torch.nn.Flatten())
    with pytest.raises(
        dm.InputError, match="`encode_with` must be the name of a method or part, got Flatten"
    ):
        dm.evaluate(network, SPRITES, encode_with=network[0], **OPTIONS)


def test_a_frozen_script_is_an_encoder(tmp_path):
    network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(4096, 3)).eval()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        frozen = torch.jit.freeze(torch.jit.script(network))
        torch.jit.save(frozen, tmp_path / "frozen.pt")
    images = torch.from_numpy(dm.kit.network_input(SPRITES.images(np.arange(5))))
    expected = network(images).detach().numpy()
    encoder = dm.load_encoder(tmp_path / "frozen.pt", trust=True, device="cpu")
    np.testing.assert_allclose(encoder(images), expected, atol=1e-5)
    report = dm.evaluate(frozen, SPRITES, **OPTIONS)
    assert report["mcc"].value == pytest.approx(dm.evaluate(network, SPRITES, **OPTIONS)["mcc"].value)


class Words(torch.nn.Module):
    """Codes of numbers of words: their places in a table of 8 by 8."""

    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.ones(1))

    def forward(self, words):
        return torch.stack([words // 8 % 8, words % 8], 1).long().float()


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("array", [torch.asarray, np.asarray, lambda words: np.asarray(words, np.uint32)])
def test_numbers_of_words_are_not_rounded(dtype, array):
    words = torch.randint(0, 64, (500,), generator=torch.Generator().manual_seed(0)) + 2**25
    factors = torch.stack([words // 8 % 8, words % 8], 1)
    report = dm.evaluate(Words().to(dtype), [(array(words), factors)], metrics="mig", anchors=False)
    assert report["mig"].value == dm.mig(factors, factors).value


def test_a_network_of_words_is_scored_or_says_what_is_wrong():
    words = torch.arange(60).reshape(30, 2) % 3
    network = torch.nn.Sequential(torch.nn.Embedding(3, 2), torch.nn.Flatten())
    report = dm.evaluate(network, [(words, words)], metrics="mig", anchors=False)
    assert report["mig"].value == dm.mig(network(words), words).value
    with pytest.raises(dm.InputError, match=r"a batch of shape \(30, 2\): IndexError: index out of range"):
        dm.evaluate(network, [(words + 1, words)], metrics="mig")


@pytest.mark.parametrize("array", [torch.asarray, np.asarray])
def test_whole_numbers_reach_a_network_that_takes_decimals_alone(array):
    codes = torch.arange(60).reshape(30, 2) % 7
    network = torch.nn.Linear(2, 2)
    report = dm.evaluate(network, [(array(codes), codes)], metrics="mig", anchors=False)
    assert report["mig"].value == dm.mig(network(codes.float()), codes).value
