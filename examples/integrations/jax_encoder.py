"""Encoders of JAX and Flax are callables: images in, means or (mean, logvar) out.

Needs the extra `jax`. Run: python examples/integrations/jax_encoder.py
"""

import jax
from flax import nnx

import disentangle_metrics as dm


class Encoder(nnx.Module):
    """A small encoder of images (n, height, width, channels); put your trained module here."""

    def __init__(self, latents: int, rngs: nnx.Rngs) -> None:
        self.convolution = nnx.Conv(1, 8, (8, 8), strides=8, rngs=rngs)
        self.head = nnx.Linear(8 * 8 * 8, 2 * latents, rngs=rngs)

    def __call__(self, images: jax.Array) -> tuple[jax.Array, jax.Array]:
        hidden = nnx.relu(self.convolution(images)).reshape(len(images), -1)
        mean, logvar = jax.numpy.split(self.head(hidden), 2, axis=1)
        return mean, logvar


module = Encoder(6, nnx.Rngs(0))
module.eval()  # dropout and batch statistics, if it had any


@nnx.jit
def apply(module: Encoder, images: jax.Array) -> tuple[jax.Array, jax.Array]:
    return module(images.transpose(0, 2, 3, 1))  # a data set gives (n, channels, height, width)


dataset = dm.load_dataset("sprites")
report = dm.evaluate(
    lambda images: apply(module, images), dataset, samples=1000, metrics=["mig", "mig_sup", "active_units"]
)
print(report)
