"""Look at a data set: a row of images for each factor, which takes all its values while the others stay.

python examples/contact_sheet.py [DATASET [FILE]]
"""

import sys

import numpy as np
from PIL import Image

import disentangle_metrics as dm

LONGEST = 16  # images in a row; of a factor with more values, so many evenly spaced ones

name = sys.argv[1] if len(sys.argv) > 1 else "sprites"
file = sys.argv[2] if len(sys.argv) > 2 else f"{name}.png"
dataset = dm.load_dataset(name)

sizes = np.array(dataset.factor_sizes)
others = sizes * np.arange(1, len(sizes) + 1) // (len(sizes) + 1)  # apart, so that no two hues are the same
height, width, channels = dataset.image_shape
columns = min(LONGEST, sizes.max())
sheet = np.full((len(sizes), columns, height, width, channels), 255, np.uint8)
for row, size in enumerate(sizes):
    values = np.unique(np.linspace(0, size - 1, min(columns, size)).round().astype(int))
    factors = np.tile(others, (len(values), 1))
    factors[:, row] = values
    sheet[row, : len(values)] = dataset.images(dataset.index(factors))

pixels = sheet.swapaxes(1, 2).reshape(len(sizes) * height, columns * width, channels)
Image.fromarray(pixels[..., 0] if channels == 1 else pixels).save(file)
print(f"{file}: {', '.join(dataset.factor_names)}, from top to bottom")
