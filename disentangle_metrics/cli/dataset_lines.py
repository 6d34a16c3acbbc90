"""What the commands say of a data set in a line: its images, its factors, its licence, whether it is here."""

from __future__ import annotations

from os import PathLike

from disentangle_metrics.datasets.description import Description


def images(description: Description) -> str:
    """How many images of which shape, and the factors."""
    count = f"{description.count:,} images" if description.count else "images"
    shape = "x".join(map(str, description.image_shape))
    factors = ", ".join(f"{name} {size}" for name, size in description.factors)
    known = f"factors: {factors}" if factors else "factors not known"
    return f"{' '.join(filter(None, (count, shape)))}; {known}"


def whereabouts(name: str, description: Description, root: str | PathLike[str] | None = None) -> str:
    """Whether the files are here, and how to get them if not."""
    if not description.files:
        return description.source
    missing = description.missing(root)
    if not missing:
        return f"here, in {description.folder(root)}"
    some = "" if len(missing) == len(description.files) else f"{len(missing)} files "
    if all(file.url for file in missing):
        return f"{some}not here: dm-data fetch {name}"
    return f"{some}not here: get {' and '.join(file.name for file in missing)} from {missing[0].home}"


def size(description: Description) -> str:
    """The size of the files in words."""
    if not description.files:
        return "no files"
    for unit, bytes_each in (("GB", 1e9), ("MB", 1e6)):
        if description.size >= bytes_each:
            return f"{description.size / bytes_each:.3g} {unit}"
    return f"{description.size / 1e3:.3g} kB" if description.size else "size not stated"
