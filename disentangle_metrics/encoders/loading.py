"""From a path or a bundled name to an :class:`Encoder`."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Callable, Mapping
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from disentangle_metrics.encoders import trusted
from disentangle_metrics.encoders.encoder import Encoder, ModelSource
from disentangle_metrics.encoders.input_scale import InputScale, input_scale
from disentangle_metrics.encoders.networks import from_architecture, from_user_code, put_weights
from disentangle_metrics.encoders.onnx_file import import_onnx, load_onnx
from disentangle_metrics.encoders.outputs import Outputs, check_outputs
from disentangle_metrics.encoders.pickled_names import pickled_names
from disentangle_metrics.encoders.pretrained import CONFIG as CONFIG_FILE
from disentangle_metrics.encoders.pretrained import WEIGHTS as WEIGHTS_FILE
from disentangle_metrics.encoders.pretrained import arguments_in, is_pretrained, load_pretrained
from disentangle_metrics.encoders.pytorch import import_torch, pick_device
from disentangle_metrics.encoders.registries import (
    CHECKPOINTS,
    ENCODERS,
    architecture_name,
    checkpoint_file,
)
from disentangle_metrics.encoders.sniffing import FileKind, file_kind
from disentangle_metrics.encoders.torch_save import (
    read_torch_save,
    unsafe_globals,
    weights_beside_objects,
)
from disentangle_metrics.encoders.weights import StoredWeights, read_safetensors, state_dict, under
from disentangle_metrics.encoders.zip_archives import refuse_large_archive
from disentangle_metrics.errors import InputError, ModelFileError, UntrustedModelError
from disentangle_metrics.kit.files import expanded, sha256_of
from disentangle_metrics.kit.limits import reading

if TYPE_CHECKING:
    import torch

Confirm = Callable[[Path], bool]
WEIGHTS = (FileKind.SAFETENSORS, FileKind.TORCH_SAVE, FileKind.TORCH_SAVE_LEGACY)
PLAIN = (str, int, float, bool, list, tuple, dict, type(None))  # what JSON has too
MODEL_SUFFIXES = (".safetensors", ".onnx", ".pt", ".pth", ".bin")

ADVICE = {
    FileKind.EMPTY: "copy or download the model again",
    FileKind.DAMAGED_ZIP: "copy or download the model again",
    FileKind.GZIP: "unpack it first: gunzip",
    FileKind.XZ: "unpack it first: unxz",
    FileKind.BZIP2: "unpack it first: bunzip2",
    FileKind.ZSTANDARD: "unpack it first: unzstd",
    FileKind.GIT_LFS_POINTER: "fetch the file with: git lfs pull",
    FileKind.WEB_PAGE: "the download probably ended at a login or error page; download the model again",
    FileKind.KERAS: "Keras models can run code when loaded and are not read; encode the images yourself "
    "and score the latents with `dm.score`",
    FileKind.HDF5: "HDF5 models are not read; encode the images yourself and score the latents with "
    "`dm.score`",
    FileKind.NPY: "arrays are scored without a model: `dm.score`",
    FileKind.NPZ: "arrays are scored without a model: `dm.score`",
}
ACCEPTED = (
    "accepted: a checkpoint of this package, a safetensors or torch.save file of weights, an ONNX model, "
    "and, if trusted, TorchScript, .pt2 and pickled networks"
)


def load_encoder(
    path_or_name: str | PathLike[str],
    *,
    device: str = "auto",
    arch: str | None = None,
    model_code: str | None = None,
    model_args: Mapping[str, Any] | None = None,
    state_key: str | None = None,
    encode_with: str | None = None,
    outputs: Outputs | None = None,
    scale: str | tuple[float, float] | Mapping[str, Any] | None = None,
    trust: bool | Confirm = False,
) -> Encoder:
    """Make an encoder from a model file or a bundled checkpoint.

    What kind of file it is, is found from its content. No code from the file runs, unless `trust`
    says that it may.

    Parameters
    ----------
    path_or_name : path or str
        A checkpoint of this package; weights in a safetensors or ``torch.save`` file (with `arch`
        or `model_code`); an encoder in an ONNX file, with its data file beside it if it has one; the
        name of a bundled checkpoint; the folder of a run of ``dm-train``; a folder of ``save_pretrained``
        (config.json with safetensors beside it): a model of Transformers, or arguments and weights for
        `model_code`; and, if trusted, a TorchScript program, a ``torch.export`` program or a pickled
        network.
    device : str
        ``"auto"`` (CUDA, else MPS, else the CPU; for an ONNX model always the CPU), or a device as
        PyTorch names it.
    arch : str, optional
        The registered architecture that the weights belong to, such as ``"pro-vlae"``. Checkpoints
        of this package name their own.
    model_code : str, optional
        ``"package.module:factory"`` or ``"file.py:factory"``: your own code, a function or class,
        called to build the network that the file gives weights to. A network that is the encoder alone
        takes its weights from the file of a whole model.
    model_args : mapping, optional
        The arguments that `model_code` is called with.
    state_key : str, optional
        Where in the file the weights stand, if more than one place fits, such as ``"ema"`` or
        ``"model_states.net"``. A file of a whole network has no such place.
    encode_with : str, optional
        The method or part of a PyTorch network that encodes, such as ``"encode"``; by default it is
        called itself, or, if that gives reconstructions alone, its ``encode``.
    outputs : mapping, optional
        Which output of the network is which, such as ``{"mean": "z_mean", "logvar": "z_log_var"}``; also
        "logstd", "std" or "var". For outputs without names, their places from 0.
    scale : str, pair or mapping, optional
        The range in which the network expects its images: ``"0..1"`` (the default), ``"-1..1"`` or any
        ``"LOW..HIGH"``, ``"imagenet"``, ``"mean=0.5,std=0.5"`` with one number each or one per channel;
        also ``(-1, 1)`` and ``{"mean": 0.5, "std": 0.5}``.
    trust : bool or callable
        Whether code from the file may run. What runs, and the file's sha256, is said on stderr. A function
        is then asked with the file's full path, and answers whether it may.

    Returns
    -------
    Encoder

    Raises
    ------
    UntrustedModelError
        If loading would run code from the file, and `trust` is False.
    PluginError
        If the function behind a checkpoint's name fails, or gives no path.
    ModelFileError
        If the file is missing, damaged, of another kind, or does not fit the network; or PyTorch
        (for an ONNX model: onnx or onnxruntime) is not installed.
    InputError
        If another argument cannot be used.
    """
    _check_names(path_or_name, arch, model_code, model_args)
    outputs = check_outputs(outputs)
    wanted = input_scale(scale)
    folder = Path(path_or_name).expanduser()
    if is_pretrained(folder):
        if arch is None and model_code is None:
            if state_key is not None or model_args is not None:
                raise _holds_a_network(f"{folder} is a folder of save_pretrained")
            return _pretrained_encoder(folder, device, outputs, encode_with, wanted)
        path_or_name = folder / WEIGHTS_FILE
        if model_code is not None:
            model_args = {**arguments_in(folder), **(model_args or {})}
    path, kind = _locate(path_or_name)
    if model_args is not None and model_code is None:
        raise InputError("model_args are the arguments of model_code; give that too")
    if arch is not None and model_code is not None:
        raise InputError("arch and model_code both say how to build the network; give one of them")
    if kind is FileKind.ONNX:
        if arch is not None or model_code is not None or state_key is not None:
            raise _holds_a_network(f"{path} is {kind.value}")
        return _onnx_encoder(path, device, outputs, encode_with, wanted)
    torch = import_torch()
    chosen = pick_device(device)
    sha256 = sha256_of(path)

    with reading(path) if kind in WEIGHTS else contextlib.nullcontext():
        content = _read(path, kind, trust, sha256, chosen)
    architecture: str | None = None
    arguments: dict[str, Any] = {}
    remarks: tuple[str, ...] = ()
    if isinstance(content, StoredWeights):
        if state_key is not None:
            content = under(path, content, state_key)
        if model_code is not None:
            arguments = dict(model_args or {})
            network = from_user_code(model_code, arguments)
        else:
            architecture, arguments = _architecture(path, content, arch), content.arguments
            with reading(path):
                network = from_architecture(path, architecture, arguments, content)
        remarks = put_weights(path, network, content)
    elif arch is not None or model_code is not None or state_key is not None:
        raise _holds_a_network(f"{path} is {kind.value}")
    else:
        network = content
    if kind is not FileKind.EXPORTED_PROGRAM:  # an exported program has one mode and one device, already set
        network = network.to(chosen).eval()
    source = ModelSource(
        str(path),
        kind.name.lower(),
        sha256,
        torch.__version__,
        architecture,
        {name: value if isinstance(value, PLAIN) else repr(value) for name, value in arguments.items()},
        model_code,
        remarks=remarks,
    )
    return Encoder(network, source, outputs=outputs, encode_with=encode_with, scale=wanted)


def _check_names(path_or_name: Any, arch: Any, model_code: Any, model_args: Any) -> None:
    """Refuse a network, its weights, its class or a function of it where a name is due."""
    own = "a network that has its weights goes to `dm.evaluate` itself"
    if not isinstance(path_or_name, str | PathLike):
        kind = type(path_or_name).__name__
        raise InputError(f"`path_or_name` must be a path or the name of a checkpoint, got {kind}; {own}")
    for argument, value in (("arch", arch), ("model_code", model_code)):
        if value is None or isinstance(value, str):
            continue
        path = getattr(value, "__qualname__", "<")
        code = f"{getattr(value, '__module__', None)}:{path}"
        fix = own if "<" in path else f"write `model_code={code!r}`"
        raise InputError(f"`{argument}` must be a text, got {type(value).__name__}; {fix}")
    if not isinstance(model_args, Mapping | None):
        kind = type(model_args).__name__
        raise InputError(f"`model_args` must be a dictionary, such as {{'latent_dim': 10}}, got {kind}")


def _locate(path_or_name: str | PathLike[str]) -> tuple[Path, FileKind]:
    """The file and its kind, if it is of a kind that can be a model."""
    path = expanded(path_or_name)
    try:
        path.exists()
    except OSError as error:
        raise ModelFileError(f"{str(path)[:80]!r} is no path ({error.strerror})") from error
    if not path.exists() and str(path_or_name) in CHECKPOINTS:
        path = checkpoint_file(str(path_or_name))
        if not path.exists():
            raise ModelFileError(
                f"the bundled checkpoint {path_or_name} is missing from this installation: {path}"
            )
    if not path.exists():
        raise ModelFileError(f"no such file: {path}; {CHECKPOINTS.unknown(str(path_or_name))}")
    if (path / "saved_model.pb").is_file():
        raise ModelFileError(
            f"{path} is a SavedModel of TensorFlow, which is not read; encode the images yourself and score "
            "the latents with `dm.score`"
        )
    path = _end_of_run(path) or path
    if path.is_dir():
        inside = sorted(p.name for p in path.iterdir() if p.suffix in MODEL_SUFFIXES)
        if not inside and (runs := sorted(str(p) for p in path.iterdir() if _end_of_run(p))):
            shown = ", ".join(runs[:5]) + (", ..." if len(runs) > 5 else "")
            raise ModelFileError(f"{path} is a folder of runs; give one of them: {shown}")
        raise ModelFileError(
            f"{path} is a folder; give the file in it{': ' + ', '.join(inside[:5]) if inside else ''}"
        )
    if not path.is_file():
        raise ModelFileError(f"{path} is a device or a pipe; give a file")
    try:
        with reading(path):
            kind = file_kind(path)
    except OSError as error:
        raise ModelFileError(f"{path} cannot be read: {error.strerror or error}") from error
    if kind not in WEIGHTS and kind is not FileKind.ONNX and kind not in trusted.PROGRAMS:
        raise ModelFileError(f"{path} is {kind.value}; {ADVICE.get(kind, ACCEPTED)}")
    return path, kind


def _end_of_run(folder: Path) -> Path | None:
    """The checkpoint of a folder of ``dm-train`` that was trained for longest, of equals the finished one."""
    steps: dict[Path, int] = {}
    for name in ("model", "last"):
        weights = folder / f"{name}.safetensors"
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            steps[weights] = int(json.loads(weights.with_suffix(".json").read_text(encoding="utf-8"))["step"])
    found = [weights for weights in steps if weights.is_file()]
    return max(found, key=steps.__getitem__, default=None)


def _pretrained_encoder(
    folder: Path, device: str, outputs: Outputs | None, encode_with: str | None, scale: InputScale | None
) -> Encoder:
    torch = import_torch()
    weights = sorted(folder.glob("model*.safetensors"))
    with reading(weights[0] if weights else folder):
        network, architecture, remarks = load_pretrained(folder)
    source = ModelSource(
        str(folder),
        "pretrained_folder",
        sha256_of(weights[0]),
        torch.__version__,
        architecture,
        other_files={path.name: sha256_of(path) for path in (*weights[1:], folder / CONFIG_FILE)},
        remarks=remarks,
    )
    network = network.to(pick_device(device)).eval()
    return Encoder(network, source, outputs=outputs, encode_with=encode_with, scale=scale)


def _onnx_encoder(
    path: Path, device: str, outputs: Outputs | None, encode_with: str | None, scale: InputScale | None
) -> Encoder:
    import_onnx(path)
    with reading(path):
        content = path.read_bytes()
        network, data_files = load_onnx(path, content, device)
    for name in (outputs or {}).values():
        if name not in network.outputs and not (str(name).isdigit() and int(name) < len(network.outputs)):
            raise ModelFileError(
                f"`outputs`: {path} has no output {name!r}; it has {', '.join(network.outputs)}"
            )
    sha256 = hashlib.sha256(content).hexdigest()
    _, onnxruntime = import_onnx(path)
    source = ModelSource(
        str(path), "onnx", sha256, onnxruntime_version=onnxruntime.__version__, other_files=data_files
    )
    return Encoder(network, source, outputs=outputs, encode_with=encode_with, scale=scale)


def _holds_a_network(what: str) -> InputError:
    return InputError(
        f"{what} and holds a whole network; give no `arch`, `model_code`, `model_args` or `state_key` with it"
    )


def _read(
    path: Path, kind: FileKind, trust: bool | Confirm, sha256: str, device: torch.device
) -> StoredWeights | torch.nn.Module:
    """Weights by the safe readers; anything more only if trusted. Decided before anything is read."""
    import torch

    if kind is FileKind.SAFETENSORS:
        return read_safetensors(path)
    if kind is FileKind.TORCH_SAVE:
        refuse_large_archive(path)
    names = unsafe_globals(path, kind) if kind in WEIGHTS else []
    if kind is FileKind.PICKLE:
        names = pickled_names(path)
    runs_code = kind in trusted.PROGRAMS or bool(names)
    # Only the loader can look through the oldest format, so there trust is taken at its word.
    if not runs_code and not (trust and kind is FileKind.TORCH_SAVE_LEGACY):
        return state_dict(path, read_torch_save(path, kind))
    if kind in WEIGHTS and names and (content := weights_beside_objects(path, kind, names)) is not None:
        return state_dict(path, content)
    if not trust:
        raise trusted.refusal(path, kind, names)
    trusted.announce(path, kind, names, sha256)
    if callable(trust) and not trust(path.resolve()):
        raise UntrustedModelError(f"{path} was not loaded, since its full path was not given")
    loaded = trusted.load_program(path, kind, device)
    return loaded if isinstance(loaded, torch.nn.Module) else state_dict(path, loaded)


def _architecture(path: Path, stored: StoredWeights, arch: str | None) -> str:
    """The architecture named by the caller or by the file; they may not disagree."""
    named = architecture_name(arch) if arch is not None else None
    if stored.architecture is not None:
        if named not in (None, architecture_name(stored.architecture)):
            raise ModelFileError(
                f"{path} says that its architecture is {stored.architecture!r}, not {arch!r}"
            )
        return architecture_name(stored.architecture)
    if named is None:
        raise ModelFileError(
            f"{path} holds weights but not the network they belong to; give `arch` (known: "
            f"{', '.join(ENCODERS.names()) or 'none'}) or `model_code='package.module:factory'`"
        )
    return named
