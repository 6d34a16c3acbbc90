"""evaluate() on batches: what a batch may be, and that the scores are those of its rows."""

from __future__ import annotations

import array
from typing import ClassVar

import numpy as np
import pandas as pd
import pytest

import disentangle_metrics as dm

CHEAP = {"metrics": ["mig"], "anchors": False}
pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture
def rows() -> tuple[np.ndarray, np.ndarray]:
    """Inputs of three numbers whose first two are the factors."""
    rng = np.random.default_rng(0)
    factors = rng.integers(0, [3, 4], (50, 2))
    return np.column_stack([factors, rng.normal(size=50)]).astype(np.float32), factors


def cut(inputs, factors, size: int = 16) -> list:
    return [(inputs[i : i + size], factors[i : i + size]) for i in range(0, len(inputs), size)]


def encode(inputs):
    return inputs[:, :2] * 2


def test_the_scores_are_those_of_the_rows_in_order(rows) -> None:
    inputs, factors = rows
    report = dm.evaluate(encode, cut(*rows), factor_names=["shape", "size"], **CHEAP)
    assert report["mig"].value == dm.mig(inputs[:, :2] * 2, factors).value
    assert report.factor_names == ("shape", "size")
    assert report.provenance["images"] == 50
    assert report.provenance["dataset"] == "list"


def test_samples_are_drawn_of_all_rows(rows) -> None:
    inputs, factors = rows
    drawn = np.random.default_rng(3).choice(50, 20, replace=False)
    report = dm.evaluate(encode, cut(*rows), samples=20, seed=3, **CHEAP)
    assert report["mig"].value == dm.mig(inputs[drawn, :2] * 2, factors[drawn]).value


@pytest.mark.parametrize(
    "form", ["columns", "frame", "dictionary", "dictionary of labels", "generator", "list of columns"]
)
def test_forms_of_batches(rows, form) -> None:
    batches = {
        "columns": [(x, {"shape": v[:, 0], "size": v[:, 1]}) for x, v in cut(*rows)],
        "frame": [(x, pd.DataFrame(v, columns=["shape", "size"])) for x, v in cut(*rows)],
        "dictionary": [{"image": x, "factors": v} for x, v in cut(*rows)],
        "dictionary of labels": [{"labels": v, "pixel_values": x} for x, v in cut(*rows)],
        "generator": (batch for batch in cut(*rows)),
        "list of columns": [(x, [v[:, 0], v[:, 1]]) for x, v in cut(*rows)],
    }[form]
    report = dm.evaluate(encode, batches, **CHEAP)
    assert report["mig"].value == dm.mig(rows[0][:, :2], rows[1]).value
    if form in ("columns", "frame"):
        assert report.factor_names == ("shape", "size")


@pytest.mark.parametrize(
    "form", ["one axis and two", "masked and plain", "columns and array", "whole numbers"]
)
def test_batches_of_one_loader_may_differ_in_form(rows, form) -> None:
    inputs, factors = rows
    if form == "one axis and two":
        factors = factors[:, :1]
    batches = cut(inputs, factors)
    x, v = batches[0]
    batches[0] = {
        "one axis and two": (x, v[:, 0]),
        "masked and plain": (x, np.ma.array(v, mask=np.arange(v.size).reshape(v.shape) == 3)),
        "columns and array": (x, list(v.T)),
        "whole numbers": (x, v.astype(np.float32)),
    }[form]
    if form == "whole numbers":
        batches[1] = (batches[1][0], batches[1][1].astype(np.float64))
    expected = factors.astype(float)
    if form == "masked and plain":
        expected[1, 1] = np.nan
    report = dm.evaluate(encode, batches, missing="drop", **CHEAP)
    assert report["mig"].value == dm.mig(inputs[:, :2], expected, missing="drop").value


@pytest.mark.parametrize("table", [False, True])
def test_decimals_in_two_precisions_are_refused(rows, table) -> None:
    batches = []
    for k, (x, v) in enumerate(cut(*rows)):
        decimals = (v / 10).astype(np.float32 if k else np.float64)
        batches.append((x, pd.DataFrame(decimals, columns=["a", "b"]) if table else decimals))
    with pytest.raises(dm.InputError, match="is float64 in one batch of the loader and float32 in another"):
        dm.evaluate(encode, batches, **CHEAP)


@pytest.mark.parametrize("form", ["pyarrow", "chunked", "array", "range"])
def test_labels_without_a_shape_are_one_column(form) -> None:
    pa = pytest.importorskip("pyarrow") if form in ("pyarrow", "chunked") else None
    inputs = np.column_stack([np.arange(48) % 3, np.arange(48) % 4]).astype(float)
    labels = [0, 1, 2, 3]
    given = {
        "pyarrow": lambda: pa.array(labels),
        "chunked": lambda: pa.chunked_array([labels[:2], labels[2:]]),
        "array": lambda: array.array("l", labels),
        "range": lambda: range(4),
    }[form]()
    batches = [(inputs[k : k + 4], given) for k in range(0, 48, 4)]
    report = dm.evaluate(lambda x: x, batches, **CHEAP)
    assert report["mig"].value == dm.mig(inputs, inputs[:, 1:].astype(int)).value


@pytest.mark.parametrize("size", [2, 16])
@pytest.mark.parametrize("texts", ["one", "all"])
def test_columns_of_texts_as_a_data_loader_gives_them(rows, size, texts) -> None:
    inputs, factors = rows[0][:48], rows[1][:48]
    words = np.array(list("abcd"))[factors]
    columns = pd.DataFrame({0: words[:, 0], 1: words[:, 1] if texts == "all" else factors[:, 1]})
    batches = [
        (x, [tuple(v[0]), tuple(v[1]) if texts == "all" else v[1].to_numpy()])
        for x, v in cut(inputs, columns, size)
    ]
    if (size, texts) == (2, "all"):
        with pytest.raises(dm.InputError, match="2 times 2 texts, which may be rows or columns"):
            dm.evaluate(encode, batches, **CHEAP)
        return
    report = dm.evaluate(encode, batches, **CHEAP)
    assert report["mig"].value == dm.mig(inputs[:, :2], factors).value
    of_rows = [(x, v.to_numpy().tolist()) for x, v in cut(inputs, columns, size)]
    if texts == "all":
        assert dm.evaluate(encode, of_rows, **CHEAP)["mig"].value == report["mig"].value


def test_labels_by_name_are_picked_by_name(rows) -> None:
    batches = [(x, {"shape": v[:, 0], "label": np.array(list("abcd"))[v[:, 1]]}) for x, v in cut(*rows)]
    report = dm.evaluate(encode, batches, factors=["label"], **CHEAP)
    assert report.factor_names == ("label",)
    assert report["mig"].value == dm.mig(rows[0][:, :2], rows[1][:, 1:]).value


def test_a_posterior_stays_one(rows) -> None:
    def pair(inputs):
        return inputs, inputs * 0 - 1  # as wide as the inputs

    report = dm.evaluate(pair, cut(*rows), metrics=["rmig"], anchors=False)
    inputs, factors = rows
    assert report["rmig"].value == dm.rmig(dm.GaussianPosterior(inputs, inputs * 0 - 1), factors).value


@pytest.mark.parametrize("form", ["table", "columns", "frame"])
def test_memory_that_is_written_again_changes_no_batch_before(rows, form) -> None:
    inputs, factors = rows[0][:48], rows[1][:48]
    means, logvars, values = np.empty((16, 2)), np.empty((16, 2)), factors[:16].copy()
    frame = pd.DataFrame(factors[:16])
    given = {"table": values, "columns": {"a": values[:, 0], "b": values[:, 1]}, "frame": frame}[form]

    def again(batch):
        means[:], logvars[:] = batch[:, :2], -1 - batch[:, :2]
        return means, logvars

    def batches():
        for x, v in cut(inputs, factors):
            values[:], frame.iloc[:, :] = v, v
            yield x, given

    report = dm.evaluate(again, batches(), metrics=["mig", "rmig"], anchors=False)
    posterior = dm.GaussianPosterior(inputs[:, :2] * 1.0, -1.0 - inputs[:, :2])
    expected = dm.score(posterior, factors, metrics=["mig", "rmig"], anchors=False)
    assert report.scalars() == expected.scalars()


def test_a_draw_is_noticed_in_memory_that_is_written_again(rows) -> None:
    means, rng = np.empty((50, 2)), np.random.default_rng(1)

    def drawn(batch):
        means[:] = batch[:, :2] + rng.normal(size=means.shape)
        return means

    report = dm.evaluate(drawn, [rows], **CHEAP)
    assert any("the network draws its code at random" in text for text in report.warnings)


@pytest.mark.parametrize(
    ("batches", "message"),
    [
        ([], "the loader gave no batch"),
        (iter([np.zeros((4, 2))]), "a batch of the loader is a ndarray"),
        ([np.zeros((4, 2))], r"own images need `factors`: `dm\.evaluate\(model, images, factors\)`"),
        ([(np.zeros((4, 2)), np.zeros(4), np.zeros(4))], "a batch of the loader is 3 parts"),
        ([{"image": np.zeros((4, 2)), "id": np.zeros(4)}], "has the entries image, id"),
        ([{"label": np.zeros(4), "factors": np.zeros(4)}], "has the entries label, factors"),
        ([(np.zeros((4, 2)), np.zeros(3))], "the factors of a batch are 3 rows beside 4 inputs"),
        ([(np.zeros((4, 2)), np.zeros(4)), (np.zeros((4, 2)), np.zeros((4, 2)))], "different factors"),
        (
            [(np.zeros((4, 2)), np.zeros(4)), (np.zeros((4, 3)), np.zeros(4))],
            "2 latents for the first batch and 3",
        ),
    ],
)
def test_other_batches_are_refused(batches, message) -> None:
    with pytest.raises(dm.InputError, match=message):
        dm.evaluate(lambda inputs: inputs, batches, **CHEAP)


def test_unknown_options_and_factors_are_refused(rows) -> None:
    for data in (cut(*rows), dm.load_dataset("sprites")):
        with pytest.raises(dm.InputError, match="no option 'sampels'; did you mean 'samples'.* batch_size,"):
            dm.evaluate(encode, data, sampels=3)
    with pytest.raises(dm.InputError, match="the loader has no factor 'shap'; did you mean 'shape'"):
        dm.evaluate(encode, cut(*rows), factor_names=["shape", "size"], factors=["shap"], **CHEAP)
    with pytest.raises(dm.InputError, match="has 1 names for 2 factors of the loader"):
        dm.evaluate(encode, cut(*rows), factor_names=["shape"], **CHEAP)


@pytest.mark.parametrize("by", ["one", "names", "function", "part"])
def test_several_inputs_reach_an_encoder_as_a_dictionary_or_by_name(rows, by) -> None:
    torch = pytest.importorskip("torch")
    inputs, factors = rows

    class Network(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.part = torch.nn.Identity()

        def forward(self, batch=None, a=None, b=None):
            if batch is not None and by == "names":
                raise ValueError("takes a and b")
            a, b = (a, b) if batch is None else (batch["a"], batch["b"])
            return self.part(torch.stack([a, b], dim=1) * 2)

    batches = [
        {"a": torch.tensor(x[:, 0]), "b": torch.tensor(x[:, 1]), "labels": v} for x, v in cut(inputs, factors)
    ]
    network = Network()
    encoder = (lambda batch: network(batch)) if by == "function" else network
    report = dm.evaluate(encoder, batches, encode_with="part" if by == "part" else None, **CHEAP)
    assert report["mig"].value == dm.mig(inputs[:, :2] * 2, factors).value
    with pytest.raises(dm.InputError, match="the network cannot encode a batch of c, d: TypeError: .*'c'"):
        dm.evaluate(Network(), [{"c": inputs[:, 0], "d": inputs[:, 1], "labels": factors}], **CHEAP)


def test_a_data_loader_of_a_stream_has_no_length(rows) -> None:
    data = pytest.importorskip("torch.utils.data")

    class Stream(data.IterableDataset):
        def __iter__(self):
            return zip(*rows, strict=True)

    report = dm.evaluate(encode, data.DataLoader(Stream(), batch_size=16), progress=True, **CHEAP)
    assert report["mig"].value == dm.mig(rows[0][:, :2], rows[1]).value


def asked_rows(length):
    """A data set of PyTorch that notes which of its rows are read."""
    torch = pytest.importorskip("torch")

    class Asked(torch.utils.data.Dataset):
        rows: ClassVar[list[int]] = []

        def __len__(self):
            return length

        def __getitem__(self, row):
            self.rows.append(row)
            return torch.tensor([row % 3, row % 4, 0.0]), torch.tensor([row % 3, row % 4])

    return Asked()


def test_a_data_set_of_pytorch_is_its_loader(rows) -> None:
    torch = pytest.importorskip("torch")
    data = torch.utils.data.TensorDataset(*map(torch.tensor, rows))
    sizes = []
    report = dm.evaluate(
        lambda batch: sizes.append(len(batch)) or encode(batch), data, batch_size=20, **CHEAP
    )
    assert report["mig"].value == dm.mig(rows[0][:, :2] * 2, rows[1]).value
    assert report.provenance["dataset"] == "TensorDataset"
    assert max(sizes) == 20
    drawn = dm.evaluate(encode, data, samples=30, seed=3, **CHEAP)
    loader = torch.utils.data.DataLoader(data, batch_size=50)
    assert drawn["mig"].value == dm.evaluate(encode, loader, samples=30, seed=3, **CHEAP)["mig"].value
    assert drawn.provenance["dataset"] == "TensorDataset"
    asked = asked_rows(30)
    dm.evaluate(encode, asked, samples=10, **CHEAP)
    assert len(set(asked.rows)) == 10


def test_arrays_in_place_of_names_or_of_images_are_refused(rows) -> None:
    sprites = dm.load_dataset("sprites")
    with pytest.raises(dm.InputError, match="must be names of factors of the data set sprites, got ndarray"):
        dm.evaluate(encode, sprites, rows[1], **CHEAP)
    with pytest.raises(
        dm.InputError, match=r"\(50, 3\); images have rows and columns .* in batches: `dm\.evaluate"
    ):
        dm.evaluate(encode, *rows, **CHEAP)


def test_factors_beside_a_loader_are_refused(rows) -> None:
    data = pytest.importorskip("torch.utils.data")
    for loader in (data.DataLoader(rows[0], batch_size=20), iter([rows[0]])):
        with pytest.raises(dm.InputError, match="a loader gives its own factors, in batches"):
            dm.evaluate(encode, loader, rows[1], **CHEAP)


def test_a_list_of_images_beside_a_list_of_factors_is_no_loader() -> None:
    images = [np.full((4, 4), value / 10, np.float32) for value in range(10)] * 5
    factors = [[value, value % 3] for value in range(10)] * 5
    report = dm.evaluate(lambda batch: batch.reshape(len(batch), -1)[:, :2], images, factors, **CHEAP)
    assert report.shape == (50, 2, 2)
    assert report.provenance["image_shape"] == [4, 4, 1]


def test_a_data_loader_of_pytorch_and_a_network_of_numbers(rows) -> None:
    torch = pytest.importorskip("torch")
    data = torch.utils.data
    inputs, factors = map(torch.tensor, rows)

    class Network(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.linear = torch.nn.Linear(3, 2)
            self.noise = torch.nn.Dropout(0.5)

        def forward(self, inputs):
            return self.noise(self.linear(inputs))

    network = Network()
    loader = data.DataLoader(data.TensorDataset(inputs, factors), batch_size=16)
    report = dm.evaluate(network, loader, **CHEAP)
    with torch.no_grad():
        expected = dm.mig(network.linear(inputs), factors).value
    assert report["mig"].value == expected
    assert report.provenance["dataset"] == "TensorDataset"
    assert network.training
    function = dm.evaluate(lambda batch: network.linear(batch), loader, **CHEAP)
    assert function["mig"].value == expected


@pytest.mark.parametrize(
    ("images", "told"),
    [
        (lambda factors: (factors * 60)[:, None, :, None].astype(np.uint8), True),
        (lambda factors: (factors / 4)[:, None, :, None].astype(np.float32), False),
        (lambda factors: (factors > 1)[:, None, :, None].astype(np.uint8), False),
        (lambda factors: factors.astype(np.uint8), False),
    ],
)
def test_8_bit_images_that_reach_a_network_in_0_to_255_are_told(rows, images, told) -> None:
    torch = pytest.importorskip("torch")
    inputs, factors = images(rows[1]), rows[1]
    network = torch.nn.Flatten()
    for one, other in ((inputs, factors), (torch.tensor(inputs), torch.tensor(factors))):
        report = dm.evaluate(network, [(one[:0], other[:0]), *cut(one, other)], **CHEAP)
        assert (
            any("gets them in 0..255; if it expects them in 0..1" in text for text in report.warnings) == told
        )
