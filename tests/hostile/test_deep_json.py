"""JSON that is nested deeper than Python reads, in the files that stand beside models and data."""

from __future__ import annotations

import pytest

from disentangle_metrics import DatasetError, ModelFileError, load_dataset, load_encoder

DEEP = "[" * 100_000


def test_the_description_of_a_pretrained_folder(tmp_path):
    pytest.importorskip("torch")
    (tmp_path / "config.json").write_text(DEEP)
    (tmp_path / "model.safetensors").write_bytes(b"")
    with pytest.raises(ModelFileError, match=r"config\.json is damaged") as caught:
        load_encoder(tmp_path)
    assert "\n" not in str(caught.value)


def test_the_description_of_a_hugging_face_folder(tmp_path):
    pytest.importorskip("pyarrow")
    (tmp_path / "state.json").write_text(DEEP)
    (tmp_path / "dataset_info.json").write_text(DEEP)
    with pytest.raises(DatasetError, match="truncated or damaged") as caught:
        load_dataset(str(tmp_path))
    assert "\n" not in str(caught.value)
