"""Watch disentanglement while a VAE trains with Keras 3 (on its PyTorch backend here; any will do).

Needs the extra `keras` and a backend. Run: python examples/integrations/keras_callback.py
"""

import os

os.environ.setdefault("KERAS_BACKEND", "torch")

import keras
import numpy as np

import disentangle_metrics as dm
from disentangle_metrics.integrations.keras import ScoreCallback

keras.utils.set_random_seed(0)


class Vae(keras.Model):
    """A small VAE of 64 x 64 grey images; its encoder gives z_mean and z_log_var."""

    def __init__(self) -> None:
        super().__init__()
        inputs = keras.Input((64, 64, 1))
        hidden = keras.layers.Dense(128, "relu")(keras.layers.Flatten()(inputs))
        outputs = {name: keras.layers.Dense(6)(hidden) for name in ("z_mean", "z_log_var")}
        self.encoder = keras.Model(inputs, outputs)
        self.decoder = keras.Sequential([keras.layers.Dense(128, "relu"), keras.layers.Dense(4096)])
        self.seed = keras.random.SeedGenerator(0)

    def call(self, images):
        code = self.encoder(images)
        mean, logvar = code["z_mean"], code["z_log_var"]
        divergence = 0.5 * (mean**2 + keras.ops.exp(logvar) - 1 - logvar)
        self.add_loss(4.0 * keras.ops.mean(keras.ops.sum(divergence, axis=1)) / 4096)
        noise = keras.random.normal(keras.ops.shape(mean), seed=self.seed)
        rebuilt = self.decoder(mean + noise * keras.ops.exp(logvar / 2))
        return keras.ops.reshape(rebuilt, (-1, 64, 64, 1))


dataset = dm.load_dataset("sprites")
order = np.random.default_rng(0).permutation(len(dataset))
train, held_out = order[:2000], order[2000:3000]
train_images, held_out_images = (dataset.images(rows) / np.float32(255) for rows in (train, held_out))

model = Vae()
model.compile(keras.optimizers.Adam(1e-3), keras.losses.BinaryCrossentropy(from_logits=True))
scores = ScoreCallback((held_out_images, dataset.factors(held_out)), factor_names=dataset.factor_names)
history = model.fit(
    train_images, train_images, batch_size=64, epochs=3, verbose=0,
    callbacks=[scores, keras.callbacks.EarlyStopping("mig", mode="max", patience=5)],
)  # fmt: skip
print({name: np.round(values, 4).tolist() for name, values in history.history.items()})
