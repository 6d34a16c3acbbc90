"""AnnData objects scored by the names of their parts."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_array

import disentangle_metrics as dm

anndata = pytest.importorskip("anndata")

pytestmark = pytest.mark.filterwarnings("ignore")
QUICK = {"metrics": ["mig", "mig_sup"], "anchors": False}


@pytest.fixture
def adata():
    """Cells whose code is their batch and their type, and an embedding that mixes both."""
    rng = np.random.default_rng(0)
    codes = np.tile(np.indices((2, 4)).reshape(2, -1).T, (40, 1))  # every combination as often: independent
    obs = pd.DataFrame({
        "batch": pd.Categorical.from_codes(codes[:, 0], ["one", "two"]),
        "cell_type": pd.Categorical.from_codes(codes[:, 1], list("abcd")),
        "n_counts": rng.poisson(100, 320),
    }, index=[f"cell{i}" for i in range(320)])  # fmt: skip
    cells = anndata.AnnData(csr_array(rng.poisson(1.0, (320, 6)).astype("float32")), obs=obs)
    cells.obsm["X_vae"] = codes * 1.0
    cells.obsm["X_mixed"] = pd.DataFrame(
        codes @ [[1.0, 1.0], [1.0, -1.0]], index=obs.index, columns=["m1", "m2"]
    )
    return cells


def test_a_score_is_that_of_the_parts(adata) -> None:
    report = dm.score(adata, latents="X_vae", factors=["batch", "cell_type"], **QUICK)
    expected = dm.score(adata.obsm["X_vae"], adata.obs[["batch", "cell_type"]], **QUICK)
    assert report["mig"].value == expected["mig"].value == pytest.approx(1.0)
    assert report.factor_names == ("batch", "cell_type")
    assert report["mig"].signature == expected["mig"].signature


def test_names_may_come_by_place_and_as_one_string(adata) -> None:
    one = dm.score(adata, "X_vae", "cell_type", **QUICK)
    assert one.factor_names == ("cell_type",)


def test_the_matrix_itself_and_a_view_and_a_frame(adata) -> None:
    assert dm.score(adata, latents="X", factors="batch", **QUICK).shape == (320, 6, 1)
    half = adata[::2]
    assert dm.score(half, latents="X_mixed", factors="batch", **QUICK).latent_names == ("m1", "m2")
    assert dm.score(half, latents="X_mixed", factors="batch", **QUICK).shape[0] == 160


def test_cells_without_a_label_are_refused_or_left_out(adata) -> None:
    adata.obs.loc[adata.obs_names[:5], "cell_type"] = np.nan
    with pytest.raises(dm.InputError, match="cell_type"):
        dm.score(adata, latents="X_vae", factors=["cell_type"], **QUICK)
    report = dm.score(adata, latents="X_vae", factors=["cell_type"], missing="drop", **QUICK)
    assert report["mig"].value == pytest.approx(
        dm.mig(adata.obsm["X_vae"][5:], adata.obs[["cell_type"]][5:]).value
    )


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (
            {"latents": "X_va", "factors": "batch"},
            "adata.obsm has no 'X_va'; did you mean 'X_vae'? known: X_vae, X_mixed",
        ),
        ({"latents": "X_vae", "factors": ["bach"]}, "adata.obs has no column 'bach'; did you mean 'batch'?"),
        ({"factors": ["batch"]}, "must be a key of adata.obsm"),
        ({"latents": "X_vae", "factors": []}, "`factors` is empty"),
    ],
)
def test_an_unknown_name_is_refused_with_the_known(adata, names, message) -> None:
    with pytest.raises(dm.InputError) as error:
        dm.score(adata, **names)
    assert message in str(error.value)


def test_benchmark_has_a_row_for_each_embedding(adata) -> None:
    frame = dm.integrations.anndata.benchmark(adata, ["X_vae", "X_mixed"], ["batch", "cell_type"], **QUICK)
    assert list(frame.index) == ["X_vae", "X_mixed"]
    assert frame.loc["X_vae", "mig"] == pytest.approx(1.0)
    assert frame.loc["X_mixed", "mig"] < 0.5
    everything = dm.integrations.anndata.benchmark(adata, factors=["batch"], **QUICK)
    assert list(everything.index) == ["X_vae", "X_mixed"]


def test_a_benchmark_of_nothing_is_refused(adata) -> None:
    with pytest.raises(dm.InputError, match=r"such as \['X_vae'\]"):
        dm.integrations.anndata.benchmark(adata, "X_vae", ["batch"])
    with pytest.raises(dm.InputError, match="must be an AnnData object, got ndarray"):
        dm.integrations.anndata.benchmark(np.zeros((3, 2)), None, ["batch"])


def test_chosen_cells_score_like_a_copy_of_them(adata) -> None:
    chosen = adata[adata.obs["cell_type"] != "d"]
    assert chosen.is_view
    for latents in (
        "X_vae",
        "X_mixed",
        "X",
    ):  # an array, a data frame and a sparse matrix, each of its own class
        report = dm.score(chosen, latents=latents, factors=["batch", "cell_type"], **QUICK)
        expected = dm.score(chosen.copy(), latents=latents, factors=["batch", "cell_type"], **QUICK)
        assert report["mig"].value == expected["mig"].value
    assert dm.score(chosen, latents="X_vae", factors=["batch", "cell_type"], **QUICK)[
        "mig"
    ].value == pytest.approx(1.0)
