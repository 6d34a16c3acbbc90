"""A Keras callback that scores held-out data while a model trains; for Keras 3 on any backend."""

from __future__ import annotations

import contextlib
import functools
import inspect
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from disentangle_metrics.encoders.encoder import CallableEncoder
from disentangle_metrics.encoders.outputs import Outputs
from disentangle_metrics.errors import InputError
from disentangle_metrics.evaluation import whole_numbers
from disentangle_metrics.integrations.held_out import DEFAULT, HeldOut
from disentangle_metrics.integrations.library import need
from disentangle_metrics.loaders import ArrayBatches, is_loader, is_pair_of_arrays
from disentangle_metrics.scoring.report import Report
from disentangle_metrics.scoring.requests import Metric

keras: Any = need("keras")
Callback: Any = keras.callbacks.Callback


class ScoreCallback(Callback):  # type: ignore[misc]  # Any, where it is not installed
    """Score a model on held-out data every n epochs, and add the scores to the logs of the epoch.

    So ``History``, ``CSVLogger``, ``TensorBoard``, ``EarlyStopping`` and ``ModelCheckpoint`` see them.
    Pass this callback before those. In epochs that are not scored the logs have no such entry.

    The encoder runs with ``training=False``. States of its seed generators, and the random state of Python,
    NumPy and PyTorch, are put back: training goes on as if nothing had been scored.

    Parameters
    ----------
    data : pair of arrays, or iterable of batches
        Held-out inputs (n, ...) and factors (n, K) as a pair of arrays; or batches (inputs, factors), such as
        a ``keras.utils.PyDataset``.
    encoder : keras.Layer or str, optional
        What encodes: a model or layer, or the attribute or layer of the trained model of that name, such as
        ``"encoder"``. A layer within the model gets what the layers before it give. By default the model's
        ``encoder`` if it has one, else the model itself.
    metrics
        As for :func:`disentangle_metrics.score`. None is the whole suite, which takes longer.
    every_n_epochs : int
        Score after each n epochs.
    batch_size : int
        Rows encoded at a time, for a pair of arrays.
    outputs : mapping, optional
        Which output is the mean, as for :func:`disentangle_metrics.load_encoder`.
    prefix : str
        Stands before each name in the logs.
    **options
        As for :func:`disentangle_metrics.evaluate`: `samples`, `seed`, `factor_names`, `protocol`, ...

    Attributes
    ----------
    reports : dict
        From an epoch, counted from 1, to its report.

    Raises
    ------
    InputError
        If an argument cannot be used; after the first batch also if the data or the outputs cannot; after an
        epoch if its logs have such a name already, of a metric or of another such callback.
    """

    def __init__(
        self,
        data: Any,
        encoder: Any = None,
        *,
        metrics: Iterable[str | Metric] | str | Metric | None = DEFAULT,
        every_n_epochs: int = 1,
        batch_size: int = 256,
        outputs: Outputs | None = None,
        prefix: str = "",
        **options: Any,
    ) -> None:
        super().__init__()
        self._held_out = HeldOut(_batches(data, batch_size), metrics, every_n_epochs, prefix, options)
        self._encoder, self._outputs, self._checked = encoder, outputs, False

    @property
    def reports(self) -> dict[int, Report]:
        """From an epoch, counted from 1, to its report."""
        return self._held_out.reports

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Refuse after the first batch, which has built the model, what cannot be scored."""
        if not self._checked:
            layer = self._layer()
            with _kept_seeds(layer):
                self._held_out.check(self._encode(layer))
            self._checked = True

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Score and add to the logs, if it is time."""
        if not self._held_out.due(epoch + 1):
            return
        self._held_out.refuse_logged(logs or ())
        layer = self._layer()
        with _kept_seeds(layer):
            scores = self._held_out.score(self._encode(layer), epoch + 1)
        if logs is not None:
            logs.update(scores)

    def _encode(self, layer: Any) -> CallableEncoder:
        return CallableEncoder(_encode_function(layer), self._outputs)

    def _layer(self) -> Any:
        """What encodes."""
        model = self.model  # on JAX this gives the model and its layers their weights back
        if self._encoder is None:
            return getattr(model, "encoder", model)
        part = self._encoder
        if isinstance(part, str):
            layers = {layer.name: layer for layer in model.layers}
            part = getattr(model, part, layers.get(part))
            if part is None:
                raise InputError(
                    f"`encoder`: the model {type(model).__name__} has no part {self._encoder!r}; its layers "
                    f"are {', '.join(layers)}"
                )
        return _within(model, part)


class _Places:
    """The batches of a PyDataset, in order."""

    def __init__(self, data: Any) -> None:
        self._data = data

    def __len__(self) -> int:
        return len(self._data)

    def __iter__(self) -> Iterator[Any]:
        return (self._data[place] for place in range(len(self._data)))


def _batches(data: Any, batch_size: int) -> Any:
    """Held-out data as something that gives batches each time it is gone through."""
    whole_numbers(None, 0, batch_size)
    if isinstance(data, keras.utils.PyDataset):
        return _Places(data)
    if is_pair_of_arrays(data):
        return ArrayBatches(data[0], data[1], batch_size)
    if not is_loader(data):
        raise InputError(
            f"`data` must be a pair of arrays (inputs, factors), or batches of them, got "
            f"{type(data).__name__}"
        )
    return data


def _within(model: Any, part: Any) -> Any:
    """From the model's inputs to a layer in it, as it is connected there; else the part itself."""
    connected = isinstance(part, keras.Layer) and not isinstance(part, keras.Model)
    if not connected or all(part is not layer for layer in model.layers):
        return part
    try:
        return keras.Model(model.inputs, part.output)
    except (AttributeError, ValueError):  # of a model of code, or a layer that is used more than once
        return part


def _encode_function(layer: Any) -> Callable[[Any], Any]:
    """The layer out of training."""
    if isinstance(layer, keras.Layer) and "training" in inspect.signature(layer.call).parameters:
        return functools.partial(layer, training=False)
    encode: Callable[[Any], Any] = layer
    return encode


@contextlib.contextmanager
def _kept_seeds(layer: Any) -> Iterator[None]:
    """The seed generators that encoding may draw from are put back."""
    generators = [(state, keras.ops.convert_to_numpy(state)) for state in _seed_states(layer)]
    try:
        yield
    finally:
        for state, value in generators:
            state.assign(value)


def _seed_states(layer: Any) -> list[Any]:
    """States of the seed generators that encoding may draw from: the layer's, and the one of all."""
    weights = {id(variable) for variable in getattr(layer, "weights", ())}
    states = [v for v in getattr(layer, "variables", ()) if id(v) not in weights]
    return [*states, *([] if (common := _common_generator()) is None else [common.state])]


def _common_generator() -> Any:
    """The seed generator that ``keras.random`` draws from where none is given, if it was used."""
    with contextlib.suppress(ImportError):  # Keras has no public name for it
        from keras.src.backend.common.global_state import get_global_attribute

        return get_global_attribute("global_seed_generator")
    return None
