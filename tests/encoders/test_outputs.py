"""What a network returns is read by name, else by shape and place where one reading is possible."""

from __future__ import annotations

import re
from collections import namedtuple
from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
import pytest

from disentangle_metrics.encoders.output_reader import OutputReader
from disentangle_metrics.encoders.outputs import check_outputs, read_posterior
from disentangle_metrics.errors import InputError

MEAN = np.random.default_rng(0).normal(size=(6, 3))
LOGVAR = np.random.default_rng(1).normal(size=(6, 3)) - 0.5
STD = np.exp(LOGVAR / 2)
IMAGES = np.zeros((6, 1, 4, 4))
FLAT = np.zeros((6, 16))
Pair, Backwards, WithStd = (
    namedtuple("Q", "mean logvar"),
    namedtuple("Q", "logvar mean"),
    namedtuple("Q", "std mean"),
)


@dataclass
class Output:
    reconstruction: np.ndarray
    mu: np.ndarray
    log_var: np.ndarray
    loss: float | None = None


BOTH = {
    "a pair": (MEAN, LOGVAR),
    "a list": [MEAN, LOGVAR],
    "a named tuple": Pair(MEAN, LOGVAR),
    "a named tuple, backwards": Backwards(LOGVAR, MEAN),
    "a named tuple with deviations": WithStd(STD, MEAN),
    "a dictionary": {"logvar": LOGVAR, "mu": MEAN},
    "a dictionary of more": {"z": MEAN + 1, "recon": IMAGES, "z_log_var": LOGVAR, "z_mean": MEAN, "loss": np.float64(1)},
    "a dictionary with variances": {"var": STD**2, "mean": MEAN},
    "a data class": Output(IMAGES, MEAN, LOGVAR),
    "a namespace": SimpleNamespace(log_sigma=LOGVAR / 2, mu=MEAN),
    "a reconstruction first": (IMAGES, MEAN, LOGVAR),
    "a flat reconstruction": (FLAT, MEAN, LOGVAR),
    "reconstruction and images first": (IMAGES, IMAGES, MEAN, LOGVAR),
    "a pair inside": (IMAGES, (MEAN, LOGVAR)),
    "a code that is the mean": (MEAN, MEAN, LOGVAR),
    "the code last": (MEAN, LOGVAR, MEAN),
    "the code last, backwards": (LOGVAR, MEAN, MEAN),
    "a loss beside": (IMAGES, MEAN, LOGVAR, np.float64(3.0)),
    "a spread by name, a mean without": {"first": MEAN, "logvar": LOGVAR},
    "pythae's names": {"embedding": MEAN, "log_covariance": LOGVAR},
    "maps of one pixel": (MEAN[:, :, None, None], LOGVAR[:, :, None, None]),
    "maps of one pixel, channels last": {"mu": MEAN[:, None, None], "logvar": LOGVAR[:, None, None]},
}  # fmt: skip


@pytest.mark.parametrize("case", BOTH)
def test_means_and_log_variances(case):
    found = read_posterior(BOTH[case], 6, pixels=16)
    np.testing.assert_array_equal(found.mean, MEAN)
    np.testing.assert_allclose(found.logvar, LOGVAR, atol=1e-12)


@pytest.mark.parametrize(
    "output",
    [MEAN, {"z_mean": MEAN}, {"mu": MEAN, "z": MEAN + 1}, (IMAGES, MEAN), {"recon": IMAGES, "code": MEAN}],
    ids=["an array", "named", "beside a drawn code", "beside a reconstruction", "code beside one by name"],
)
def test_means_alone(output):
    found = read_posterior(output, 6, pixels=16)
    np.testing.assert_array_equal(found.mean, MEAN)
    assert found.logvar is None


REFUSED = {
    "three tables": ((MEAN, LOGVAR, MEAN + 1), r"returned 3 values; .*0 \(6, 3\), 1 \(6, 3\), 2 \(6, 3\).*`outputs="),
    "two means": ({"mu_1": MEAN, "mu_2": MEAN}, r"several are called like a mean \(mu_1, mu_2\); say which"),
    "a sample and another": ({"z": MEAN, "code": MEAN + 1}, "which of the outputs is the mean cannot be told"),
    "no table": ((IMAGES, IMAGES), r"returned the shape \(6, 1, 4, 4\)"),
    "widths": ((MEAN, LOGVAR[:, :2]), r"pair of the shapes \(6, 3\) and \(6, 2\)"),
    "complex": (MEAN + 1j, "complex128 values; accepted: real numbers"),
    "a complex part": ({"mean": MEAN + 1j, "logvar": LOGVAR}, "output mean is complex128 values"),
    "words": ("mean", "returned str"),
    "nothing": (None, "returned NoneType"),
    "an empty tuple": ((), "returned no array"),
    "an empty dictionary": ({"mean": None}, "returned no array"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_told_is_refused(case):
    output, message = REFUSED[case]
    with pytest.raises(InputError, match=message) as caught:
        read_posterior(output, 6, pixels=16)
    assert "\n" not in str(caught.value)


def test_a_spread_without_a_name_may_be_a_standard_deviation():
    doubt = read_posterior((MEAN, STD), 6).doubt
    assert re.search(r"output 1 is positive everywhere.*`outputs={'mean': '0', 'std': '1'}`", doubt)
    assert not read_posterior({"mean": MEAN, "std": STD}, 6).doubt


def test_the_users_choice():
    output = {"a": STD, "b": MEAN, "c": IMAGES}
    found = read_posterior(output, 6, outputs={"mean": "b", "std": "a"})
    np.testing.assert_allclose(found.logvar, LOGVAR, atol=1e-12)
    found = read_posterior((IMAGES, MEAN, LOGVAR / 2), 6, outputs={"mean": 1, "logstd": "2"})
    np.testing.assert_allclose(found.logvar, LOGVAR, atol=1e-12)
    assert read_posterior(output, 6, outputs={"mean": "b"}).logvar is None
    with pytest.raises(InputError, match=r"no output 'd'; outputs: a \(6, 3\), b \(6, 3\), c \(6, 1, 4, 4\)"):
        read_posterior(output, 6, outputs={"mean": "d"})
    with pytest.raises(InputError, match="'a' is read as a standard deviation, which must be above 0"):
        read_posterior({"a": LOGVAR, "b": MEAN}, 6, outputs={"mean": "b", "std": "a"})


@pytest.mark.parametrize(
    ("outputs", "message"),
    [
        ({"mu": "a"}, "'mu' is none of mean, logvar, logstd, std, var"),
        ({"logvar": "a"}, "must name the mean"),
        ({"mean": "a", "std": "b", "var": "c"}, "at most one of"),
        ("mean", "must be a dictionary"),
    ],
)
def test_bad_choices(outputs, message):
    with pytest.raises(InputError, match=message):
        check_outputs(outputs)


def test_a_spread_that_is_none_leaves_the_means():
    reader = OutputReader()
    posterior = reader.read(lambda images: {"mean": MEAN, "std": LOGVAR}, IMAGES)
    assert posterior.logvar is None
    assert "'std' is read as a standard deviation" in reader.remarks[0]
    reader.read(lambda images: {"mean": MEAN, "std": STD}, IMAGES)
    assert len(reader.remarks) == 1


class Noise:
    """Draws a code around MEAN, anew at each call."""

    def __init__(self, deviation=STD):
        self.rng, self.deviation = np.random.default_rng(0), deviation

    def __call__(self):
        return MEAN + self.deviation * self.rng.normal(size=MEAN.shape)


def test_drawn_codes_are_no_means():
    for arrange in (
        lambda z: (z, MEAN),
        lambda z: (MEAN, z),
        lambda z: (z, MEAN, LOGVAR),
        lambda z: (MEAN, LOGVAR, z),
        lambda z: (IMAGES, z, MEAN, LOGVAR),
    ):
        draw, reader = Noise(), OutputReader()
        posterior = reader.read(lambda images, draw=draw, arrange=arrange: arrange(draw()), IMAGES)
        np.testing.assert_array_equal(posterior.mean, MEAN)
        assert reader.remarks == []


KL = 0.5 * (MEAN**2 + 0.04 - 1 - np.log(0.04))  # of a deviation of 0.2


@pytest.mark.parametrize("rows", [1, 6])
@pytest.mark.parametrize(
    "arrange",
    [
        lambda z, rows: (z, KL[:rows]),
        lambda z, rows: (KL[:rows], z),
        lambda z, rows: {"z": z, "kl": KL[:rows]},
        lambda z, rows: {"z": z, "kl": KL[:rows], "logvar": np.full((rows, 3), -3.2)},
        lambda z, rows: (z, np.full((rows, 3), -3.2)),
        lambda z, rows: (z, np.full((rows, 3), 0.2)),
        lambda z, rows: (z, MEAN[:rows, :2]),
    ],
    ids=[
        "kl",
        "kl first",
        "kl by name",
        "kl with a log-variance",
        "log-variance",
        "deviation",
        "another width",
    ],
)
def test_what_a_drawn_code_does_not_scatter_around_is_no_mean(arrange, rows):
    draw, reader = Noise(0.2), OutputReader()
    for _ in range(2):  # asked again, it says so again
        with pytest.raises(InputError, match=r"draws its output .* at random.*`outputs=\{'mean': '.*'\}`"):
            reader.read(lambda images: arrange(draw()[:rows], rows), IMAGES[:rows])
    first = reader.read(lambda images: (draw()[:1], MEAN[:1]), IMAGES[:1])  # of one image too
    np.testing.assert_array_equal(first.mean, MEAN[:1])


@pytest.mark.parametrize("rows", [1, 6])
def test_a_drawn_code_says_which_of_a_pair_is_its_mean(rows):
    draw, logvar = Noise(0.2), np.full((rows, 3), -3.2)
    with pytest.raises(
        InputError, match=r"draws its output 0 around another than its output 1.*'logvar': '1'\}`"
    ):
        OutputReader().read(lambda images: (draw()[:rows], logvar, MEAN[:rows]), IMAGES[:rows])
    read = OutputReader().read(lambda images: (draw()[:rows], MEAN[:rows], logvar), IMAGES[:rows])
    np.testing.assert_array_equal(read.mean, MEAN[:rows])
    np.testing.assert_array_equal(read.logvar, logvar)


def test_a_drawn_code_beside_its_kl_can_be_chosen():
    draw, reader = Noise(), OutputReader({"mean": "z"})
    reader.read(lambda images: {"z": draw(), "kl": KL}, IMAGES)
    assert "draws its code at random" in reader.remarks[0]


def test_a_network_that_gives_drawn_codes_alone_is_told():
    draw, reader = Noise(), OutputReader()
    reader.read(lambda images: draw(), IMAGES)
    reader.read(lambda images: draw(), IMAGES)
    (remark,) = reader.remarks
    assert "draws its code at random" in remark


def in_batches(reader, spreads, size):
    """What is concluded of means beside these spreads (n, 2), without names, read in batches of this size."""
    means, images = np.zeros_like(spreads), np.zeros((len(spreads), 1, 4, 4))
    with reader.one_data_set():
        for start in range(0, len(spreads), size):
            rows = slice(start, start + size)
            reader.read(lambda _, rows=rows: (means[rows], spreads[rows]), images[rows])
        return reader.conclude()


SIZES = (1, 4, 100, 256, 1000)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("below", [0, 9, 255])
def test_a_log_variance_is_below_0_somewhere_whatever_the_size_of_a_batch(size, below):
    spreads = np.ones((257, 2))  # the last batch of 256 has one row, which is positive
    spreads[below, 1] = -1
    reader = OutputReader()
    assert in_batches(reader, spreads, size) == ()
    assert in_batches(reader, np.ones((5, 2)), size) == ()  # and stays a log-variance
    reader.read(lambda images: (MEAN, STD), IMAGES)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("rows", [1, 10, 300])
def test_a_deviation_is_refused_whatever_the_size_of_a_batch(size, rows):
    spreads = np.ones((rows, 2))
    spreads[256:] = -1  # after the rows that decide
    reader = OutputReader()
    for _ in range(2):
        with pytest.raises(InputError, match="output 1 is positive everywhere"):
            in_batches(reader, spreads, size)
    with pytest.raises(InputError, match="output 1 is positive everywhere"):
        reader.read(lambda images: (MEAN, STD), IMAGES)


def test_distributions():
    torch = pytest.importorskip("torch")
    q = torch.distributions.Normal(torch.tensor(MEAN), torch.tensor(STD))
    for output in (q, torch.distributions.Independent(q, 1), (torch.tensor(IMAGES), q)):
        found = read_posterior(output, 6, pixels=16)
        np.testing.assert_array_equal(found.mean, MEAN)
        np.testing.assert_allclose(found.logvar, LOGVAR, atol=1e-12)


class Diagonal:
    """A distribution as diffusers has it."""

    mean, logvar = MEAN, LOGVAR

    def sample(self):
        return MEAN + STD


def test_distributions_among_named_outputs():
    torch = pytest.importorskip("torch")
    q = torch.distributions.Normal(torch.tensor(MEAN), torch.tensor(STD))
    prior = torch.distributions.Normal(torch.zeros(6, 3), torch.ones(6, 3))
    for output in (
        {"z": MEAN + STD, "qz": q, "ql": None, "library": np.ones((6, 1))},
        {"q": q, "prior": prior},
        {"latent_dist": Diagonal()},
        Diagonal(),
        (IMAGES, Diagonal()),
    ):
        found = read_posterior(output, 6, pixels=16)
        np.testing.assert_array_equal(found.mean, MEAN)
        np.testing.assert_allclose(found.logvar, LOGVAR, atol=1e-12)
    named = read_posterior({"mu": MEAN, "q": prior}, 6)  # a mean that is spelt needs no other
    assert (named.mean_is, named.logvar) == ("mu", None)


def test_of_two_distributions_one_is_chosen():
    torch = pytest.importorskip("torch")
    q = torch.distributions.Normal(torch.tensor(MEAN), torch.tensor(STD))
    prior = torch.distributions.Normal(torch.zeros(6, 3), torch.ones(6, 3))
    with pytest.raises(InputError, match=r"several are called like a mean \(1\.mean, 2\.mean\); say which"):
        read_posterior((MEAN, prior, q), 6)
    found = read_posterior((MEAN, prior, q), 6, outputs={"mean": "2.mean", "std": "2.std"})
    np.testing.assert_array_equal(found.mean, MEAN)
    np.testing.assert_allclose(found.logvar, LOGVAR, atol=1e-12)


def test_distributions_whose_deviation_is_not_known_are_refused():
    torch = pytest.importorskip("torch")
    q = torch.distributions.RelaxedOneHotCategorical(torch.tensor(0.5), logits=torch.tensor(MEAN))
    with pytest.raises(InputError, match="the encoder returned RelaxedOneHotCategorical; accepted: means"):
        OutputReader().read(lambda images: q, IMAGES)
    for output in ({"mean": torch.tensor(MEAN), "q": q}, (torch.tensor(MEAN), q)):
        found = read_posterior(output, 6)
        np.testing.assert_array_equal(found.mean, MEAN)
        assert found.logvar is None


def test_masked_codes_are_refused():
    masked = np.ma.array(MEAN, mask=MEAN > 1)
    for output in (masked, (masked, LOGVAR), {"mean": MEAN, "logvar": np.ma.array(LOGVAR, mask=MEAN > 1)}):
        with pytest.raises(InputError, match="the encoder returned nan for latent"):
            OutputReader().read(lambda images, output=output: output, IMAGES)


def test_sparse_and_complex_tensors():
    torch = pytest.importorskip("torch")
    np.testing.assert_array_equal(read_posterior(torch.tensor(MEAN).to_sparse(), 6).mean, MEAN)
    with pytest.raises(InputError, match="complex128 values"):
        read_posterior(torch.tensor(MEAN + 1j), 6)


@pytest.mark.parametrize("names", [("a", "b"), ("left", "right")])
def test_names_that_say_nothing_of_the_code_are_refused(names):
    outputs = dict(zip(names, (np.zeros((5, 3)), np.ones((5, 3))), strict=True))
    with pytest.raises(InputError, match=f"{names[0]}.*{names[1]}.*outputs="):
        read_posterior(outputs, 5)


@pytest.mark.parametrize("names", [("output_0", "output_1"), ("31", "33")])
def test_names_that_exporters_make_up_are_no_names(names):
    mean = np.arange(15.0).reshape(5, 3)
    outputs = dict(zip(names, (mean, -np.ones((5, 3))), strict=True))
    assert np.array_equal(read_posterior(outputs, 5).mean, mean)
