"""How all images of a data set lie in little memory, and how any device makes images of them.

A GPU that trains on one batch after another waits for the host unless the whole data set lies in
its own memory. Most data sets fit if they lie there as what they are made of. Each class here is
one such form. It holds arrays of the host, knows their size before it reads them, and makes images
with operations that NumPy, and PyTorch on every device, compute exactly, in integers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from torch import Tensor

Tensors = Mapping[str, "Tensor"]


class HostArray(Protocol):
    """An array that is read a slice of its first axis at a time."""

    @property
    def shape(self) -> tuple[int, ...]: ...

    @property
    def dtype(self) -> np.dtype[Any]: ...

    def __getitem__(self, rows: slice, /) -> NDArray[Any]: ...


class Packing(Protocol):
    """A data set in the form in which it lies on a device.

    Attributes
    ----------
    arrays : mapping of str to HostArray
        What has to be copied to the device, under the names by which :meth:`images` gets it back.
    """

    @property
    def arrays(self) -> Mapping[str, HostArray]: ...

    def images(self, tensors: Tensors, indices: Tensor) -> Tensor:
        """Images (n, height, width, channels), uint8, of int64 indices (n,) on the tensors' device.

        The pixels are those of the data set's ``images``, bit for bit. Nothing is copied from the
        host and nothing waits for the device, so that the work can be captured in a CUDA graph.
        """
        ...


class AllImages:
    """The images that a function reads, as one array that is read when it is sliced.

    Parameters
    ----------
    read : callable
        From int64 indices (n,) to uint8 images (n, height, width, channels).
    count : int
    image_shape : tuple of int
        Height, width and channels.
    """

    dtype = np.dtype(np.uint8)

    def __init__(
        self,
        read: Callable[[NDArray[np.int64]], NDArray[np.uint8]],
        count: int,
        image_shape: tuple[int, int, int],
    ) -> None:
        self.read, self.shape = read, (count, *image_shape)

    def __getitem__(self, rows: slice) -> NDArray[np.uint8]:
        return self.read(np.arange(self.shape[0])[rows])


class BytePacking:
    """Images as they are: a byte for each pixel and channel."""

    def __init__(self, images: HostArray) -> None:
        self.arrays = {"images": images}

    def images(self, tensors: Tensors, indices: Tensor) -> Tensor:
        return tensors["images"][indices]


class BitPacking:
    """Binary images of 0 and 255, eight pixels to a byte.

    Parameters
    ----------
    rows : HostArray of uint8 (count, bytes)
        One image per row, padded to whole bytes.
    height, width : int
    """

    def __init__(self, rows: HostArray, height: int, width: int) -> None:
        self.height, self.width = height, width
        self.arrays = {"rows": rows, "shifts": np.arange(7, -1, -1, dtype=np.uint8)}

    def images(self, tensors: Tensors, indices: Tensor) -> Tensor:
        bits = (tensors["rows"][indices][:, :, None] >> tensors["shifts"]) & 1
        pixels = bits.reshape(len(indices), -1)[:, : self.height * self.width] * 255
        return pixels.reshape(len(indices), self.height, self.width, 1)


class MeanPacking:
    """The images of another form in which each pixel is the mean of `pool` x `pool`, rounded down."""

    def __init__(self, packed: Packing, pool: int) -> None:
        self.packed, self.pool = packed, pool
        self.arrays = packed.arrays

    def images(self, tensors: Tensors, indices: Tensor) -> Tensor:
        images = self.packed.images(tensors, indices)
        n, height, width, channels = images.shape
        blocks = images.reshape(n, height // self.pool, self.pool, width // self.pool, self.pool, channels)
        return (blocks.sum((2, 4)) // self.pool**2).to(images.dtype)
