"""Whatever holds numbers becomes a plain array, and what does not is refused with the remedy."""

from __future__ import annotations

import types

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from numpy.testing import assert_array_equal

import disentangle_metrics as dm
from disentangle_metrics.inputs.inputs import check

Z = np.random.default_rng(0).normal(size=(30, 3)) * (np.arange(90).reshape(30, 3) % 2)
V = np.random.default_rng(1).integers(3, size=(30, 2))


@pytest.mark.parametrize(
    "form", [np.asmatrix, sp.csr_matrix, sp.csc_array, sp.coo_array, sp.lil_matrix, sp.dok_array]
)
def test_matrices_and_sparse_arrays_are_plain_arrays(form):
    inputs = check(form(Z), form(V))
    assert type(inputs.latents) is np.ndarray
    assert_array_equal(inputs.latents, Z)
    assert_array_equal([factor.as_numbers() for factor in inputs.factors], V.T)


def test_sparse_tensors_and_frames():
    torch = pytest.importorskip("torch")
    for tensor in (torch.tensor(Z).to_sparse(), torch.tensor(Z).to_sparse_csr()):
        assert_array_equal(check(tensor, V).latents, Z)
    frame = pd.DataFrame.sparse.from_spmatrix(sp.csr_matrix(Z))
    assert_array_equal(check(frame, V).latents, Z)


def test_a_large_sparse_array_is_refused_with_the_remedy():
    with pytest.raises(
        dm.InputError, match=r"takes 74\.5 GiB, and at most 2 GiB are written out; .*TruncatedSVD"
    ):
        check(sp.csr_matrix((10**6, 10**4)), V)


def test_fields_of_arrays_are_refused_by_name():
    records = np.zeros(30, dtype=[("z", float, (3,)), ("shape", int)])
    with pytest.raises(
        dm.InputError,
        match=r"field 'z' of `latents` holds arrays of shape \(3,\); pass it alone, as `latents\['z'\]`",
    ):
        check(records, V)
    with pytest.raises(dm.InputError, match="field 'z' of `factors` holds arrays"):
        check(records["z"], records[["z"]])
    assert check(records["z"], records["shape"]).shape == (30, 3, 1)


def test_structured_arrays_have_names():
    records = np.array([tuple(row) for row in V], dtype=[("shape", int), ("size", int)])
    inputs = check(Z, records)
    assert inputs.factor_names == ("shape", "size")
    assert_array_equal(inputs.factors[1].as_numbers(), V[:, 1])


UNEQUAL = [np.zeros(2 + place % 2) for place in range(30)]


def test_a_column_of_lists_of_unequal_length_is_refused():
    with pytest.raises(dm.InputError, match=r"named columns must each have shape \(N,\)"):
        check(Z, {"shape": UNEQUAL, "size": V[:, 0]})
    with pytest.raises(dm.InputError, match="got a dict"):
        check({"mean": UNEQUAL, "logvar": Z}, V)


def annotated() -> object:
    """An object with the parts of an AnnData."""
    return type("AnnData", (), {"obs": pd.DataFrame(V), "obsm": {"X_vae": Z}, "X": Z})()


@pytest.mark.parametrize(
    ("latents", "message"),
    [
        (annotated(), r"is an AnnData object, .*name its parts: `dm\.score\(adata, latents=.X_vae., factors="),
        ((Z, Z), r"tuple of two arrays of the same shape \(30, 3\); .*dm\.GaussianPosterior\(mean, logvar\)"),
        ([Z, Z], "list of two arrays of the same shape"),
        ([Z[:20], Z[20:]], r"list of 2 batches; put them together with numpy\.concatenate"),
        (pd.Series(list(Z)), r"for arrays in its cells pass numpy\.stack"),
        (pd.DataFrame({"emb": list(Z)}), r"column 'emb' holds arrays \(pass numpy\.stack"),
        ((row for row in Z), r"got a generator; pass `list\(latents\)`"),
        ("z.npy", r"is a str, and files are not read here; .*dm-eval --latents FILE"),
        ({"mean": Z, "logvar": Z}, r"got a dict; for means .* dm\.GaussianPosterior\(mean, logvar\)"),
        ({"z0": Z[:, 0]}, r"got a dict; for named columns pass pandas\.DataFrame"),
        (Z.astype(complex), r"got dtype complex128; pass \.real, \.imag or numpy\.abs"),
        (pd.DataFrame(Z.astype(complex)), "got dtype complex128"),
        (np.zeros((30, 2, 4)), r"flatten each row with `latents\.reshape\(len\(latents\), -1\)`"),
        ([[1.0, 2.0], [3.0]], "cannot become an array"),
        (np.ma.masked_array(np.zeros((30, 2), "M8[s]")), "must be real numbers, got dtype datetime64"),
        (types.SimpleNamespace(), "must have shape|must be real numbers"),
    ],
)  # fmt: skip
def test_what_is_no_array_is_refused_by_name(latents, message):
    with pytest.raises(dm.InputError, match=message) as caught:
        check(latents, V)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "factors", [V.astype(complex), pd.DataFrame(V.astype(complex)), np.array([[1j, "a"]] * 30, dtype=object)]
)
def test_complex_factors_are_refused(factors):
    with pytest.raises(dm.InputError, match="complex|mixes"):
        check(Z, factors)


def test_a_file_of_arrays_is_answered_with_one_of_them(tmp_path):
    np.savez(tmp_path / "both.npz", z=Z, v=V)
    both = np.load(tmp_path / "both.npz")
    for latents, factors, advice in ((both, V, r'`latents\["z"\]`'), (Z, both, r'`factors\["z"\]`')):
        with pytest.raises(
            dm.InputError, match=rf"is a NpzFile of arrays \(z, v\); pass one of them, as in {advice}"
        ):
            check(latents, factors)


def test_lists_of_tensors_with_a_gradient_are_rows_or_batches():
    torch = pytest.importorskip("torch")
    tensor = torch.tensor(Z, requires_grad=True)
    assert_array_equal(check(list(tensor), list(torch.tensor(V))).latents, Z)
    for batches in ([tensor[:15], tensor[15:]], [tensor[:20], tensor[20:]], list(tensor.reshape(3, 10, 3))):
        with pytest.raises(dm.InputError, match=r"torch\.cat\(\.\.\.\)"):
            check(batches, V)


def test_complex_tensors_and_distributions_are_refused():
    torch = pytest.importorskip("torch")
    with pytest.raises(dm.InputError, match="complex"):
        check(torch.complex(torch.tensor(Z), torch.tensor(Z)), V)
    q = torch.distributions.Normal(torch.tensor(Z), torch.ones(30, 3))
    with pytest.raises(dm.InputError, match=r"dm\.GaussianPosterior\(q\.mean, 2 \* q\.stddev\.log\(\)\)"):
        check(q, V)
    q = torch.distributions.RelaxedOneHotCategorical(torch.tensor(0.5), logits=torch.tensor(Z))
    with pytest.raises(dm.InputError, match=r"distribution \(RelaxedOneHotCategorical\) .*; pass its "):
        check(q, V)


def test_a_list_of_dictionaries_is_answered_with_a_data_frame():
    rows = [{"shape": int(row[0]), "size": int(row[1])} for row in V]
    with pytest.raises(
        dm.InputError, match=r"got a list of dictionaries; pass `pandas\.DataFrame\(factors\)`"
    ):
        check(Z, rows)
    assert check(Z, pd.DataFrame(rows)).factor_names == ("shape", "size")
