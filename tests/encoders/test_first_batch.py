"""What the first batch shows of an encoder: whether it changes its images, and whether it mixes them."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

import disentangle_metrics as dm
from disentangle_metrics.encoders.output_reader import OutputReader

RNG = np.random.default_rng(0)
IMAGES = RNG.random((64, 1, 4, 4)).astype(np.float32)
WEIGHTS = RNG.normal(size=(16, 3)).astype(np.float32)
LOGVAR = np.full((64, 3), -2.0)


def codes(images):
    return np.asarray(images).reshape(len(images), -1) @ WEIGHTS


def in_place(images):
    images -= 0.5
    images /= 0.25
    return codes(images)


def read(encode, images=IMAGES):
    """The means of a first batch, and the remarks."""
    reader = OutputReader(by_contract=True)
    return reader.read(encode, images.copy()).mean, reader.remarks


def test_an_encoder_that_changes_its_images_does_not_draw():
    expected = codes((IMAGES - 0.5) / 0.25)
    for encode in (in_place, lambda images: (in_place(images), LOGVAR[: len(images)])):
        means, remarks = read(encode)
        np.testing.assert_allclose(means, expected, rtol=1e-5)
        assert remarks == []


def test_images_of_unequal_size_are_the_encoder_s_affair():
    images = [RNG.random((1, 4, 4 + place % 2)).astype(np.float32) for place in range(64)]
    means, remarks = read(
        lambda images: np.stack([image[..., :4].ravel() @ WEIGHTS for image in images]), images
    )
    assert means.shape == (64, 3)
    assert remarks == []


def test_codes_of_unequal_length_are_refused():
    with pytest.raises(dm.InputError, match="output mu is list; accepted"):
        read(lambda images: {"mu": [np.zeros(3 + place % 2) for place in range(len(images))]})


def test_a_tensor_that_is_changed_is_not_drawn_either():
    torch = pytest.importorskip("torch")
    reader = OutputReader()
    reader.read(in_place, torch.from_numpy(IMAGES.copy()))
    assert reader.remarks == []


def test_a_code_that_scatters_around_the_mean_of_images_that_are_changed_is_set_aside():
    rng = np.random.default_rng(1)

    def encode(images):
        mean = in_place(images)
        return mean + 0.1 * rng.normal(size=mean.shape), mean

    means, remarks = read(encode)
    np.testing.assert_allclose(means, codes((IMAGES - 0.5) / 0.25), rtol=1e-5)
    assert remarks == []


def centred(images):
    found = codes(images)
    return found - found.mean(axis=0)


def in_chunks(images):
    """As a network that was exported for 16 images gives them."""
    return np.concatenate([centred(images[start : start + 16]) for start in range(0, len(images), 16)])


def attending(images):
    found = codes(images)
    likeness = np.exp(found @ found.T)
    return likeness @ found / likeness.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("encode", [centred, in_chunks, attending])
@pytest.mark.parametrize(
    "arrange", [lambda z: z, lambda z: (z, z * 0 - 1), lambda z: {"logvar": z * 0, "mu": z}]
)
def test_codes_that_depend_on_their_batch_are_told(encode, arrange):
    means, remarks = read(lambda images: arrange(encode(images)))
    np.testing.assert_array_equal(means, encode(IMAGES))
    (remark,) = remarks
    assert "the codes depend on which images are in a batch" in remark
    assert "batches of 64" in remark


class Recorder:
    """An encoder that counts the images of each call."""

    def __init__(self, encode):
        self.encode, self.seen = encode, []

    def __call__(self, images):
        self.seen.append(len(images))
        return self.encode(images)


def test_half_a_batch_once_is_what_it_costs():
    encode, reader = Recorder(codes), OutputReader()
    for rows in (64, 64, 7):
        reader.read(encode, IMAGES[:rows])
    assert encode.seen == [64, 64, 32, 64, 7]
    assert reader.remarks == []


def test_rounding_is_no_dependence():
    def rounded(images):  # to the 8 bits of bfloat16, and by other sums in another size of batch
        found = codes(images) * np.float32(1 + 2e-3 * (len(images) < 64))
        return (found.view(np.uint32) & 0xFFFF0000).view(np.float32)

    assert read(rounded)[1] == []
    assert read(lambda images: codes(images) * np.float32(1 + 1e-4 * (len(images) < 64)))[1] == []
    assert read(lambda images: np.full((len(images), 3), 2 + 1e-7 * len(images)))[1] == []  # constants


def fixed(images):
    if len(images) != 64:
        raise ValueError("this network takes 64 images")
    return centred(images)


@pytest.mark.parametrize(
    "encode",
    [
        fixed,
        lambda images: codes(IMAGES),
        lambda images: {"mean": codes(images)} if len(images) == 64 else (),
    ],
    ids=["fixed", "of another shape", "of other outputs"],
)
def test_networks_for_a_fixed_number_of_images_are_left_alone(encode):
    means, remarks = read(encode)
    assert means.shape == (64, 3)
    assert remarks == []


def test_one_image_and_drawn_codes_are_encoded_twice_as_before():
    rng = np.random.default_rng(0)
    one, drawn = Recorder(centred), Recorder(lambda images: rng.normal(size=(len(images), 3)))
    assert read(one, IMAGES[:1])[1] == []
    (remark,) = read(drawn)[1]
    assert "draws its code at random" in remark
    assert (one.seen, drawn.seen) == ([1, 1], [64, 64])
    assert rng.normal() == np.random.default_rng(0).normal(size=385)[-1]  # 2 * 64 * 3 were drawn


def test_each_data_set_is_asked_anew_from_two_images_on():
    reader, said = OutputReader(by_contract=True), []
    assert reader.read(centred, IMAGES[:1]).mean.shape == (1, 3)  # no company to ask about
    for encode, sizes in ((centred, (64, 64)), (centred, (1, 1, 16)), (codes, (16,)), (centred, (1,))):
        with reader.one_data_set():
            for rows in sizes:
                reader.read(encode, IMAGES[:rows])
            said.append(reader.conclude())
    assert [len(remarks) for remarks in said] == [1, 1, 0, 0]
    assert "batches of 64" in said[0][0]
    assert "batches of 16" in said[1][0]


@pytest.mark.parametrize("rows", [2, 3])
@pytest.mark.parametrize("several", [np.asarray, list, tuple])
def test_two_or_three_images_are_asked_too(rows, several):
    def normed(images):
        if len(images) == 1:
            raise ValueError("Expected more than 1 value per channel")
        return centred(images)

    reader = OutputReader()
    reader.read(normed, several(IMAGES[:rows].copy()))
    (remark,) = reader.remarks
    assert f"batches of {rows}" in remark
    for alone in (codes, lambda images: np.concatenate([in_place(image[None]) for image in images])):
        reader = OutputReader()
        reader.read(alone, several(IMAGES[:rows].copy()))
        assert reader.remarks == []


def test_of_two_outputs_with_one_name_the_one_is_compared_that_was_asked_for():
    pairs = lambda images: ({"mu": codes(images)}, {"mu": centred(images)}, {"mu": 2 * codes(images)})  # noqa: E731
    for outputs, mixes in (({"mean": "mu"}, False), ({"mean": 1}, True), ({"mean": 2}, False)):
        reader = OutputReader(outputs)
        reader.read(pairs, IMAGES.copy())
        assert len(reader.remarks) == mixes


class Lazy:
    """Images that are read from an open file."""

    def __init__(self, path):
        self.file = path.open("rb")

    def __len__(self):
        return len(IMAGES)

    def __getitem__(self, rows):
        return IMAGES[rows]


def test_what_is_no_array_is_given_as_it_is(tmp_path):
    (tmp_path / "images").write_bytes(b"")
    reader, lazy = OutputReader(), Lazy(tmp_path / "images")
    with lazy.file:
        np.testing.assert_array_equal(reader.read(lambda images: codes(images[:]), lazy).mean, codes(IMAGES))
    objects = [object() for _ in IMAGES]
    places = {one: place for place, one in enumerate(objects)}
    means = reader.read(lambda batch: codes(IMAGES[[places[one] for one in batch]]), objects).mean
    np.testing.assert_array_equal(means, codes(IMAGES))
    assert reader.remarks == []


def test_tensors_with_a_gradient_in_a_list_are_encoded():
    torch = pytest.importorskip("torch")
    weight = torch.ones((), requires_grad=True)
    batch = [weight * torch.from_numpy(image) for image in IMAGES]
    with torch.no_grad():  # as dm.evaluate encodes
        means = OutputReader().read(lambda images: codes(torch.stack(images)), batch).mean
    np.testing.assert_array_equal(means, codes(IMAGES))


def test_one_copy_of_a_batch_is_kept_at_a_time():
    batch = np.zeros((64, 1, 128, 128), np.float32)
    batch[:, 0, 0, :3] = RNG.random((64, 3))
    tracemalloc.start()
    OutputReader().read(lambda images: images[:, 0, 0, :3].copy(), batch)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert batch.nbytes < peak < 1.5 * batch.nbytes


def test_batch_norm_without_running_statistics_is_told():
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    norm = torch.nn.BatchNorm1d(16, track_running_stats=False)
    network = torch.nn.Sequential(torch.nn.Flatten(), norm, torch.nn.Linear(16, 3))
    factors = RNG.integers(0, 3, (64, 2))
    for size in (32, 64):
        with pytest.warns(dm.errors.ScoreWarning, match=f"are in a batch.*batches of {size}"):
            dm.evaluate(network, IMAGES[:, 0], factors, metrics="mig", anchors=False, batch_size=size)
    kept = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.BatchNorm1d(16), torch.nn.Linear(16, 3))
    for precision in (torch.float32, torch.bfloat16):
        report = dm.evaluate(kept.to(precision), IMAGES[:, 0], factors, metrics="mig", anchors=False)
        assert not [check for check in report.found if check.code == "network_outputs"]
