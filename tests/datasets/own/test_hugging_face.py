"""Folders of Hugging Face's `datasets`, written with pyarrow in its layout."""

from __future__ import annotations

import io
import json
import pickle
from pathlib import Path

import numpy as np
import pytest

from disentangle_metrics import DatasetError, load_dataset

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")
Image = pytest.importorskip("PIL.Image")

FEATURES = {
    "image": {"_type": "Image"},
    "label": {"names": ["cat", "dog"], "_type": "ClassLabel"},
    "hue": {"dtype": "float32", "_type": "Value"},
}


def encoded(shade: int) -> bytes:
    file = io.BytesIO()
    Image.fromarray(np.full((4, 4), shade, np.uint8)).save(file, "PNG")
    return file.getvalue()


def table(rows: range) -> pa.Table:
    """Row i has the shade 20 i, the label i % 2 and the hue i / 4; and boxes, which are no factor."""
    made = pa.table(
        {
            "image": [{"bytes": encoded(20 * i), "path": None} for i in rows],
            "label": [i % 2 for i in rows],
            "hue": pa.array([None if i == 3 else i / 4 for i in rows], pa.float32()),
            "boxes": [[1, 2] for _ in rows],
        }
    )
    return made.replace_schema_metadata({"huggingface": json.dumps({"info": {"features": FEATURES}})})


def save_to_disk(folder: Path) -> Path:
    """As `datasets.Dataset.save_to_disk` does: Arrow streams, and what is in them."""
    folder.mkdir(parents=True)
    files = []
    for shard, rows in enumerate((range(7), range(7, 12))):
        name = f"data-0000{shard}-of-00002.arrow"
        with (
            pa.OSFile(str(folder / name), "wb") as sink,
            pa.ipc.new_stream(sink, table(rows).schema) as writer,
        ):
            writer.write_table(table(rows))
        files.append({"filename": name})
    (folder / "state.json").write_text(json.dumps({"_data_files": files}))
    (folder / "dataset_info.json").write_text(json.dumps({"features": FEATURES}))
    return folder


def parquet(folder: Path) -> Path:
    """As a repository of data sets has it."""
    (folder / "data").mkdir(parents=True)
    pq.write_table(table(range(7)), folder / "data" / "train-00000-of-00002.parquet")
    pq.write_table(table(range(7, 12)), folder / "data" / "train-00001-of-00002.parquet")
    return folder


@pytest.mark.parametrize("save", [save_to_disk, parquet])
def test_rows_are_read(save, tmp_path: Path) -> None:
    dataset = load_dataset(str(save(tmp_path / "mine")))
    assert (len(dataset), dataset.factor_names, dataset.image_shape) == (12, ("label", "hue"), (4, 4, 1))
    assert dataset.images([11, 0, 8, 8])[:, 0, 0, 0].tolist() == [220, 0, 160, 160]
    labels = dataset.labels([8, 5])
    assert labels["label"].tolist() == ["cat", "dog"]
    assert labels["hue"].tolist() == [2.0, 1.25]
    assert dataset.factors([3])[0, 1] == -1
    assert any("boxes" in note for note in dataset.notes)
    again = pickle.loads(pickle.dumps(dataset))
    assert again.images([4])[0, 0, 0, 0] == 80


def test_a_split_is_chosen(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    save_to_disk(folder / "train")
    save_to_disk(folder / "test")
    (folder / "dataset_dict.json").write_text(json.dumps({"splits": ["train", "test"]}))
    with pytest.raises(
        DatasetError,
        match=r"several splits \(train, test\); choose one: `dm.load_dataset\(..., split='train'\)`",
    ):
        load_dataset(str(folder))
    dataset = load_dataset(str(folder), split="test")
    assert (len(dataset), dataset.facts["split"]) == (12, "test")
    with pytest.raises(DatasetError, match="has no split 'valid'"):
        load_dataset(str(folder), split="valid")


@pytest.mark.parametrize("name", ["../elsewhere", "..\\elsewhere"])
def test_no_file_outside_of_the_folder_is_opened(name: str, tmp_path: Path) -> None:
    folder = save_to_disk(tmp_path / "mine")
    (folder / "state.json").write_text(json.dumps({"_data_files": [{"filename": name}]}))
    with pytest.raises(DatasetError, match="names files in other folders"):
        load_dataset(str(folder))


def test_damage_is_named(tmp_path: Path) -> None:
    folder = save_to_disk(tmp_path / "a")
    file = folder / "data-00001-of-00002.arrow"
    file.write_bytes(file.read_bytes()[:300])
    with pytest.raises(DatasetError, match=r"data-00001-of-00002\.arrow is truncated or damaged"):
        load_dataset(str(folder))
    file.unlink()
    with pytest.raises(DatasetError, match=r"lacks the file data-00001-of-00002\.arrow"):
        load_dataset(str(folder))
    folder = parquet(tmp_path / "b")
    file = folder / "data" / "train-00001-of-00002.parquet"
    file.write_bytes(file.read_bytes()[:300])
    with pytest.raises(DatasetError, match=r"train-00001-of-00002\.parquet is truncated or damaged"):
        load_dataset(str(folder))


def test_a_part_of_a_download_is_refused(tmp_path: Path) -> None:
    folder = parquet(tmp_path / "a")
    data = folder / "data"
    (data / "train-00000-of-00002.parquet").unlink()
    with pytest.raises(
        DatasetError,
        match=r"has 1 of the 2 files of the split 'train', and lacks train-00000-of-00002\.parquet; copy the",
    ):
        load_dataset(str(folder))
    pq.write_table(table(range(9)), data / "train-00000-of-00003.parquet")
    with pytest.raises(DatasetError, match="holds the split 'train' more than once"):
        load_dataset(str(folder))


def test_columns_without_pictures_are_named(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    file = tmp_path / "data" / "train-00000-of-00001.parquet"
    pq.write_table(pa.table({"label": [1, 2]}), file)
    with pytest.raises(DatasetError, match="no column of pictures among label"):
        load_dataset(str(tmp_path))
    pq.write_table(pa.table({"image": [{"bytes": None, "path": "/a/secret.png"}], "label": [1]},
                            schema=pa.schema({"image": pa.struct({"bytes": pa.binary(), "path": pa.string()}), "label": pa.int64()})), file)  # fmt: skip
    with pytest.raises(DatasetError, match="holds no picture; save the data set with its images embedded"):
        load_dataset(str(tmp_path))
