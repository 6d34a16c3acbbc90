"""The Keras callback in a real fit(), on the torch backend: what it logs, and that training never notices."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

import disentangle_metrics as dm

pytest.importorskip("torch")
with pytest.MonkeyPatch.context() as patch:  # read once, when Keras is imported
    patch.setenv("KERAS_BACKEND", "torch")
    keras = pytest.importorskip("keras")

from disentangle_metrics.integrations.keras import ScoreCallback

ROWS = 96
pytestmark = [
    pytest.mark.filterwarnings("ignore"),
    pytest.mark.skipif(keras.backend.backend() != "torch", reason="Keras runs on another backend here"),
]


def arrays() -> tuple[np.ndarray, np.ndarray]:
    factors = np.random.default_rng(0).integers(0, 3, (ROWS, 2))
    return factors.astype("float32"), factors


class Sampling(keras.layers.Layer):
    """Adds noise in training and out of it, from a generator of its own or from the one of all."""

    def __init__(self, own: bool) -> None:
        super().__init__()
        self.seed_generator = keras.random.SeedGenerator(3) if own else None

    def call(self, mean):
        return mean + 0.1 * keras.random.normal(keras.ops.shape(mean), seed=self.seed_generator)


def vae(own: bool = True):
    """A model with an encoder that gives z_mean, z_log_var and a drawn code."""
    keras.utils.set_random_seed(1)
    inputs = keras.Input((2,))
    mean = keras.layers.Dense(2, name="z_mean")(keras.layers.Dropout(0.1, seed=2)(inputs))
    logvar = keras.layers.Dense(2, bias_initializer=keras.initializers.Constant(-2.0))(inputs)
    encoder = keras.Model(inputs, {"z_mean": mean, "z_log_var": logvar, "z": Sampling(own)(mean)})

    class Vae(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.encoder, self.decoder = encoder, keras.layers.Dense(2)

        def call(self, inputs):
            return self.decoder(self.encoder(inputs)["z"])

    model = Vae()
    model.compile("sgd", "mse")
    return model


def fit(model, *callbacks, epochs: int = 3):
    inputs, factors = arrays()
    return model.fit(inputs, factors * 1.0, epochs=epochs, batch_size=32, verbose=0, callbacks=[*callbacks])


def test_scores_of_the_encoder_are_in_the_history_every_n_epochs() -> None:
    inputs, factors = arrays()
    callback = ScoreCallback(
        (inputs, factors), every_n_epochs=2, batch_size=40, prefix="held_out_", samples=None
    )
    model = vae()
    history = fit(model, callback, epochs=4)
    assert list(callback.reports) == [2, 4]
    mean = keras.ops.convert_to_numpy(model.encoder(inputs, training=False)["z_mean"])
    assert history.history["held_out_mig"] == [callback.reports[epoch]["mig"].value for epoch in (2, 4)]
    assert history.history["held_out_mig"][-1] == pytest.approx(dm.mig(mean, factors).value, abs=1e-9)


@pytest.mark.parametrize("own", [True, False])
def test_training_is_the_same_with_and_without(own) -> None:
    plain, scored = vae(own), None
    fit(plain)
    scored = vae(own)
    fit(scored, ScoreCallback(arrays()))
    for one, other in zip(plain.get_weights(), scored.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_early_stopping_and_checkpoints_monitor_a_score(tmp_path) -> None:
    stop = keras.callbacks.EarlyStopping("mig", mode="max", patience=1, min_delta=10.0)
    path = tmp_path / "best.weights.h5"
    best = keras.callbacks.ModelCheckpoint(
        path, monitor="mig", mode="max", save_best_only=True, save_weights_only=True
    )
    callback = ScoreCallback(arrays())
    fit(vae(), callback, stop, best, epochs=5)
    assert list(callback.reports) == [1, 2]
    assert path.exists()


def test_batches_of_a_dataset_and_a_part_by_name() -> None:
    inputs, factors = arrays()

    class Batches(keras.utils.PyDataset):
        def __len__(self):
            return 3

        def __getitem__(self, place):
            rows = slice(32 * place, 32 * place + 32)
            return inputs[rows], {"a": factors[rows, 0], "b": factors[rows, 1]}

    callback = ScoreCallback(Batches(), "encoder", outputs={"mean": "z_mean"})
    fit(vae(), callback, epochs=1)
    assert callback.reports[1].factor_names == ("a", "b")
    assert callback.reports[1].shape == (ROWS, 2, 2)


def test_what_cannot_be_used_is_refused() -> None:
    with pytest.raises(dm.InputError, match="96 inputs but the factors of 95"):
        ScoreCallback((arrays()[0], arrays()[1][:-1]))
    for size in (0, -1, 1.5):
        with pytest.raises(dm.InputError, match="`batch_size` must be"):
            ScoreCallback(arrays(), batch_size=size)
    with pytest.raises(dm.InputError, match="pair of arrays"):
        ScoreCallback(np.zeros((4, 2)))
    with pytest.raises(dm.InputError, match="the model Vae has no part 'encode'; its layers are "):
        fit(vae(), ScoreCallback(arrays(), "encode"))


def test_two_callbacks_do_not_hide_each_other() -> None:
    one, other = ScoreCallback(arrays(), prefix="a_"), ScoreCallback(arrays(), prefix="b_")
    assert {"a_mig", "b_mig"} <= set(fit(vae(), one, other, epochs=2).history)
    with pytest.raises(dm.InputError, match="'mig' is logged twice"):
        fit(vae(), ScoreCallback(arrays(), metrics="mig"), ScoreCallback(arrays()))


ON_JAX = """
import os, warnings
os.environ["KERAS_BACKEND"] = "jax"
warnings.simplefilter("ignore")
import keras, numpy
from disentangle_metrics.integrations.keras import ScoreCallback

class Net(keras.Model):
    def __init__(self):
        super().__init__()
        self.encoder, self.decoder = keras.layers.Dense(2), keras.layers.Dense(2)
    def call(self, inputs):
        return self.decoder(self.encoder(inputs))

factors = numpy.random.default_rng(0).integers(0, 3, (64, 2))
inputs = factors.astype("float32")
for encoder in (lambda net: "encoder", lambda net: net.encoder, lambda net: lambda rows: net.encoder(rows)):
    keras.utils.set_random_seed(0)
    net = Net()
    net.compile("sgd", "mse")
    scores = ScoreCallback((inputs, factors), encoder(net))
    print(net.fit(inputs, inputs, epochs=2, verbose=0, callbacks=[scores]).history["mig"])
"""


def test_on_jax_the_encoder_may_be_given_in_any_form() -> None:
    pytest.importorskip("jax")
    done = subprocess.run([sys.executable, "-c", ON_JAX], capture_output=True, text=True, timeout=120)
    lines = done.stdout.splitlines()
    assert len(lines) == 3, done.stderr
    assert len(set(lines)) == 1


def test_what_cannot_be_scored_is_refused_after_the_first_batch() -> None:
    batches: list[int] = []
    count = keras.callbacks.LambdaCallback(on_train_batch_begin=lambda batch, logs: batches.append(batch))
    inputs, factors = arrays()
    pictures = keras.layers.Reshape((2, 1))
    with pytest.raises(dm.InputError, match=r"the encoder returned the shape \(\d+, 2, 1\)"):
        fit(vae(), ScoreCallback((inputs, factors), pictures, every_n_epochs=3), count)
    assert batches == [0]


@pytest.mark.parametrize("by_name", [True, False])
def test_a_layer_within_the_model_gets_what_the_layers_before_it_give(by_name) -> None:
    keras.utils.set_random_seed(1)
    inputs, factors = arrays()
    given = keras.Input((2,))
    latent = keras.layers.Dense(2, name="latent")(keras.layers.Dense(2, "tanh")(3 * given))
    model = keras.Model(given, keras.layers.Dense(2)(latent))
    model.compile("sgd", "mse")
    callback = ScoreCallback((inputs, factors), "latent" if by_name else model.get_layer("latent"))
    fit(model, callback, epochs=1)
    codes = keras.Model(model.inputs, latent).predict(inputs, verbose=0)
    assert callback.reports[1]["mig"].value == pytest.approx(dm.mig(codes, factors).value, abs=1e-6)
