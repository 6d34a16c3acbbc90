"""A data set of Hugging Face's `datasets` on disk: Arrow files as it saves them, or Parquet as it publishes.

Read with pyarrow alone. Images are columns of encoded pictures; every other column of single values is
a factor. Class labels keep the names that the files give them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from disentangle_metrics.datasets.factor_dataset import FactorDataset
from disentangle_metrics.datasets.own.arrays import assembled
from disentangle_metrics.datasets.own.pictures import PictureRows
from disentangle_metrics.errors import DatasetError
from disentangle_metrics.kit.installing import install_line

if TYPE_CHECKING:
    import pandas as pd

STATE = "state.json"
SPLITS = "dataset_dict.json"
SHARD = re.compile(r"(.+?)-(\d{5})-of-(\d{5})")


def is_hugging_face(folder: Path) -> bool:
    """Whether `datasets` saved or published the folder."""
    return (folder / STATE).is_file() or (folder / SPLITS).is_file() or bool(parquet_shards(folder))


def parquet_shards(folder: Path) -> dict[str, list[Path]]:
    """The Parquet files by split; a folder with pictures of its own beside one table has none."""
    places = [place for place in (folder, folder / "data") if place.is_dir()]
    files = [file for place in places for file in sorted(place.glob("*.parquet"))]
    shards: dict[str, list[Path]] = {}
    for file in files:
        if match := SHARD.fullmatch(file.stem):
            shards.setdefault(match[1], []).append(file)
    return shards


class EncodedPictures:
    """From a row to the content of its picture, in Arrow files that are opened when it is asked for."""

    def __init__(self, files: list[Path], column: str, field: str | None) -> None:
        self.files, self.column, self.field = files, column, field
        self._cells: Any = None

    def __call__(self, row: int) -> tuple[Path | bytes, str]:
        if self._cells is None:
            self._cells = read_columns(self.files, [self.column]).column(0)
        cell = self._cells[row].as_py()
        content = cell.get(self.field) if isinstance(cell, Mapping) and self.field is not None else cell
        label = f"{self.files[0].parent}: {self.column} of row {row}"
        if not isinstance(content, bytes):
            raise DatasetError(f"{label} holds no picture; save the data set with its images embedded")
        return content, label

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_cells": None}


def open_hugging_face(
    folder: Path,
    *,
    images: str | None = None,
    factors: str | None = None,
    split: str | None = None,
    side: int | None = None,
    channels: int | None = None,
    value_range: Any = None,
) -> FactorDataset:
    """The data set in the folder, as `datasets.save_to_disk` or a download leaves it.

    Raises
    ------
    DatasetError
        If a file is damaged, the split has to be chosen, or no column holds pictures.
    """
    files, chosen = _files(folder, split)
    table = read_columns(files, None)
    image, field = _image_column(folder, table.schema, images)
    frame, notes = _factors(table, image, factors)
    source = EncodedPictures(files, image, field)
    facts = {"path": str(folder), "images": image, **({"split": chosen} if chosen else {})}
    return assembled(
        PictureRows(source, table.num_rows, side, channels),
        frame,
        name=str(folder),
        what=f"{folder}: {image}",
        channels="last",
        value_range=value_range,
        facts=facts,
        notes=notes,
    )


def _files(folder: Path, split: str | None) -> tuple[list[Path], str]:
    """The files of one split, in order."""
    if (folder / SPLITS).is_file():
        known = [str(name) for name in _json(folder / SPLITS).get("splits", [])]
        name = _chosen(folder, known, split)
        if "/" in name or "\\" in name or name.startswith("."):
            raise DatasetError(f"{folder / SPLITS} names the split {name!r}, which is no folder in it")
        return _files(folder / name, None)[0], name
    if (folder / STATE).is_file():
        names = [str(file.get("filename")) for file in _json(folder / STATE).get("_data_files", [])]
        if any("/" in name or "\\" in name for name in names):
            raise DatasetError(f"{folder / STATE} names files in other folders, which are not opened")
        if missing := [name for name in names if not (folder / name).is_file()]:
            raise DatasetError(f"{folder} lacks the file {missing[0]}; copy the whole folder again")
        if not names:
            raise DatasetError(f"{folder / STATE} names no files of data")
        return [folder / name for name in names], split or ""
    shards = parquet_shards(folder)
    name = _chosen(folder, list(shards), split)
    _check_complete(folder, name, shards[name])
    return shards[name], name


def _check_complete(folder: Path, split: str, files: list[Path]) -> None:
    """Raise DatasetError if the files of a split are not those from 0 to the number after `of`, once each."""
    shards = [match for file in files if (match := SHARD.fullmatch(file.stem))]
    totals = {match[3] for match in shards}
    present = [int(match[2]) for match in shards]
    if len(totals) > 1 or len(set(present)) < len(present):
        raise DatasetError(
            f"{folder} holds the split {split!r} more than once ({files[0].name}, {files[-1].name}, ...); "
            "leave the files of one download"
        )
    total = totals.pop()
    missing = sorted(set(range(int(total))) - set(present))
    if missing:
        raise DatasetError(
            f"{folder} has {len(present):,} of the {int(total):,} files of the split {split!r}, and lacks "
            f"{split}-{missing[0]:05d}-of-{total}.parquet; copy the whole folder again"
        )


def _chosen(folder: Path, known: list[str], split: str | None) -> str:
    if split is None and len(known) == 1:
        return known[0]
    if split not in known:
        asked = "holds several splits" if split is None else f"has no split {split!r}"
        first = known[0] if known else "NAME"
        raise DatasetError(
            f"{folder} {asked} ({', '.join(known) or 'none'}); choose one: "
            f"`dm.load_dataset(..., split={first!r})`"
        )
    return split


def _json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, OSError, RecursionError) as error:
        raise DatasetError(f"{path} is truncated or damaged ({error})") from error
    return content if isinstance(content, dict) else {}


def read_columns(files: list[Path], columns: list[str] | None) -> Any:
    """The Arrow table of these files: memory-mapped where they are Arrow's, else in memory.

    Raises
    ------
    DatasetError
        If pyarrow is missing, or a file is damaged.
    """
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError as error:
        raise DatasetError(
            f"{files[0]} is read with pyarrow, which is missing: {install_line('data')}"
        ) from error
    tables = []
    for file in files:
        try:
            if file.suffix == ".parquet":
                tables.append(parquet.read_table(file, columns=columns))
                continue
            source = pyarrow.memory_map(str(file))
            try:
                table = pyarrow.ipc.open_stream(source).read_all()
            except pyarrow.ArrowInvalid:
                table = pyarrow.ipc.open_file(source).read_all()
            tables.append(table if columns is None else table.select(columns))
        except (pyarrow.ArrowException, OSError, ValueError) as error:
            reason = str(error).partition("\n")[0]
            raise DatasetError(f"{file} is truncated or damaged ({reason}); copy it again") from error
    try:
        return pyarrow.concat_tables(tables)
    except pyarrow.ArrowException as error:
        raise DatasetError(f"{files[0].parent}: its files have different columns ({error})") from error


def _image_column(folder: Path, schema: Any, asked: str | None) -> tuple[str, str | None]:
    """The column of encoded pictures, and the field of its records that holds them."""
    from pyarrow import types

    def binary(kind: Any) -> bool:
        return bool(types.is_binary(kind) or types.is_large_binary(kind))

    pictures: dict[str, str | None] = {}
    for column in schema:
        if binary(column.type):
            pictures[column.name] = None
        elif types.is_struct(column.type):
            fields = {field.name: field.type for field in column.type}
            if "bytes" in fields and binary(fields["bytes"]):
                pictures[column.name] = "bytes"
    if asked is not None and asked not in pictures:
        raise DatasetError(
            f"{folder}: {asked!r} is no column of pictures; there is {', '.join(pictures) or 'none'}"
        )
    if asked is None and len(pictures) != 1:
        found = (
            f"several columns of pictures ({', '.join(pictures)})" if pictures else "no column of pictures"
        )
        raise DatasetError(
            f"{folder} has {found} among {', '.join(schema.names)}; say which, as in "
            "`dm.load_dataset(..., images='NAME')`"
        )
    name = asked or next(iter(pictures))
    return name, pictures[name]


def _factors(table: Any, image: str, asked: str | None) -> tuple[pd.DataFrame | None, tuple[str, ...]]:
    """The columns of single values, class labels by their names; and those that are left out."""
    import pandas as pd
    from pyarrow import types

    names = [name for name in table.column_names if name != image]
    if asked is not None:
        wanted = asked.split("+")
        if missing := [name for name in wanted if name not in names]:
            raise DatasetError(f"there is no column {missing[0]!r} of factors; there is {', '.join(names)}")
        names = wanted
    single = [name for name in names if _is_single(types, table.schema.field(name).type)]
    left = [name for name in names if name not in single]
    notes = (f"columns of lists, records or bytes are no factors: {', '.join(left)}",) if left else ()
    labels = _class_names(table.schema)
    columns: dict[str, Any] = {}
    for name in single:
        column = table.column(name).to_pandas(integer_object_nulls=True)
        if name in labels:
            known = dict(enumerate(labels[name]))
            column = pd.Categorical([known.get(code) for code in column], categories=labels[name])
        columns[name] = column
    return (pd.DataFrame(columns) if columns else None), notes


def _is_single(types: Any, kind: Any) -> bool:
    if types.is_dictionary(kind):
        return True
    number = types.is_integer(kind) or types.is_floating(kind) or types.is_boolean(kind)
    return bool(number or types.is_string(kind) or types.is_large_string(kind))


def _class_names(schema: Any) -> dict[str, list[str]]:
    """The names of class labels, as `datasets` writes them beside the columns."""
    try:
        features = json.loads((schema.metadata or {}).get(b"huggingface", b"{}"))["info"]["features"]
        return {
            name: [str(label) for label in feature["names"]]
            for name, feature in features.items()
            if isinstance(feature, dict) and feature.get("_type") == "ClassLabel" and feature.get("names")
        }
    except (ValueError, KeyError, TypeError, AttributeError):
        return {}
