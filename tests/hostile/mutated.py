"""Honest files with something changed at random: ``python -m tests.hostile.mutated --inputs 5000 --seed 0``.

Each input is an honest file of one kind with a few changes: bytes, numbers, names, cells, fields of JSON,
members of archives, fields of graphs. It is given to a command or a function that reads such files. That must
end with exit code 0 or 2, at most a few lines on stderr, no traceback, no control code, and in seconds.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import resource
import shutil
import signal
import sys
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tests.hostile.changes import (
    changed_bytes,
    changed_cells,
    changed_json,
    changed_lines,
    changed_onnx,
    changed_safetensors,
    changed_zip,
)

ROWS = Path(__file__).parents[2] / "examples" / "reproduction" / "sprites-mini.jsonl"
SECONDS, GIGABYTES = 10.0, 2.0


Change = Callable[[bytes, np.random.Generator], bytes]


@dataclass(frozen=True)
class Kind:
    """An honest file, how it is changed, and the command lines that read it as FILE."""

    name: str
    change: Change
    lines: tuple[str, ...]


LATENTS = "dm-eval --latents FILE --factors v.npy --metrics mig,mcc --anchors none"
FACTORS = "dm-eval --latents z.npy --factors FILE --metrics mig,modularity --anchors none"
MODEL = "dm-eval FILE --dataset mine.npz --samples 40 --metrics mig --anchors none --time-limit 5"
DATASET = "dm-eval linear.onnx --dataset FILE --samples 40 --metrics mig --anchors none"
RUN = "dm-train beta-vae --resume --out RUN --dataset mine.npz --steps 3 --device cpu --threads 1 --quiet"
KINDS = (
    Kind("z.npy", changed_bytes, (LATENTS, FACTORS)),
    Kind("z.npz", changed_zip, (LATENTS,)),
    Kind("z.csv", changed_cells, (FACTORS, f"{FACTORS} --missing drop", f"{FACTORS} --factor-types a=continuous")),
    Kind("z.csv", changed_bytes, (FACTORS,)),
    Kind("z.json", changed_json, (LATENTS, FACTORS)),
    Kind("z.safetensors", changed_safetensors, (LATENTS, FACTORS)),
    Kind("z.pt", changed_zip, (LATENTS,)),
    Kind("z.mat", changed_bytes, (LATENTS,)),
    Kind("z.parquet", changed_bytes, (LATENTS, FACTORS)),
    Kind("z.feather", changed_bytes, (LATENTS,)),
    Kind("z.h5", changed_bytes, (LATENTS,)),
    Kind("r.json", changed_json, ("dm-eval compare FILE r2.json", "dm-eval compare FILE r2.json --format latex")),
    Kind("r.json", changed_json, ("Report",)),
    Kind("b.json", changed_json, ("Benchmark",)),
    Kind("model.safetensors", changed_safetensors, (MODEL, "dm-train export FILE --out out.safetensors")),
    Kind("model.safetensors", changed_safetensors, ("dm-train information FILE --dataset mine.npz --samples 20 --draws 5",)),
    Kind("model.safetensors", changed_safetensors, ("dm-train traverse FILE --out out.png --columns 2 --dataset mine.npz",)),
    Kind("last.safetensors", changed_safetensors, (RUN,)),
    Kind("log.jsonl", changed_lines, (RUN,)),
    Kind("linear.onnx", changed_onnx, (MODEL,)),
    Kind("mine.npz", changed_zip, (DATASET, "dm-data preview FILE --out out.png")),
    Kind("rows.jsonl", changed_lines, ("dm-reproduce figures FILE --out figures",)),
    Kind("table.csv", changed_cells, (DATASET.replace("FILE", "pictures"),)),
)  # fmt: skip


TRAINED = ("model.safetensors", "last.safetensors", "log.jsonl")


def make_honest(folder: Path, kinds: list[Kind]) -> None:
    """The honest files of these kinds, and what is read beside them; a model is trained if one is among them."""
    import h5py
    import onnx
    import pandas as pd
    import scipy.io
    import torch
    from PIL import Image
    from safetensors.numpy import save_file

    import disentangle_metrics as dm
    from tests.hostile import graphs

    rng = np.random.default_rng(0)
    labels = rng.integers(0, 4, (120, 2))
    latents = labels + rng.normal(size=(120, 2)) * 0.2
    os.chdir(folder)
    np.save("z.npy", latents)
    np.save("v.npy", labels)
    np.savez("z.npz", latents=latents)
    frame = pd.DataFrame({"a": labels[:, 0], "b": [f"x{n}" for n in labels[:, 1]]})
    frame.to_csv("z.csv", index=False)
    numbers = pd.DataFrame(latents, columns=["a", "b"])
    numbers.to_json("z.json", orient="records")
    numbers.to_parquet("z.parquet")
    numbers.to_feather("z.feather")
    save_file({"latents": latents.astype(np.float32)}, "z.safetensors")
    torch.save({"latents": torch.from_numpy(latents)}, "z.pt")
    scipy.io.savemat("z.mat", {"latents": latents})
    with h5py.File("z.h5", "w") as file:
        file["latents"] = latents
    options: dict[str, Any] = {"metrics": ["mig", "mcc", "dci"], "confidence": 0.9, "replicates": 20}
    dm.score(latents, labels, **options).to_json("r.json")
    dm.score(latents[::-1], labels, **options).to_json("r2.json")
    dm.benchmark({"a": latents, "b": latents[::-1]}, labels, metrics=["mig"], anchors=False).to_json("b.json")
    places = np.stack(np.unravel_index(np.arange(64), (4, 4, 4)), axis=1)
    images = rng.integers(0, 2, (64, 32, 32), np.uint8) * 255
    np.savez("mine.npz", images=images, factors=places)
    if {kind.name for kind in kinds} & set(TRAINED):
        _train(folder)
    weights = rng.normal(size=(32 * 32, 3)).astype(np.float32)
    images_in = onnx.helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, ["n", 1, 32, 32])
    nodes = [graphs.FLAT, onnx.helper.make_node("MatMul", ["f", "w"], ["y"])]
    Path("linear.onnx").write_bytes(graphs.model(nodes, {"w": weights}, [images_in]))
    Path("pictures").mkdir()
    for number in range(12):
        Image.fromarray(images[number]).save(f"pictures/{number}.png")
    table = [f"{number}.png,{number % 3},{number // 3}" for number in range(12)]
    Path("table.csv").write_text("\n".join(["file,a,b", *table]) + "\n")
    rows = ROWS.read_text().splitlines()
    Path("rows.jsonl").write_text("\n".join(rows[:: len(rows) // 20]) + "\n")


def _train(folder: Path) -> None:
    """A run of two steps, in the folder of the data set."""
    from reference_models.cli.train import run

    line = "beta-vae --dataset mine.npz --preset smoke --steps 2 --batch-size 4 --log-every 1 --device cpu --threads 1"
    assert run([*line.split(), "--quiet", "--out", "run"]) == 0
    for name in TRAINED:
        shutil.copy(folder / "run" / name, folder / name)


def read_by(line: str, path: Path, name: str) -> tuple[int, str, str]:
    """The exit code, and what is on stdout and stderr, after a command or function has read the file."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = _stored(line, path) if line in ("Report", "Benchmark") else _command(line, path, name)
    return code, out.getvalue(), err.getvalue()


def _stored(what: str, path: Path) -> int:
    import disentangle_metrics as dm

    try:
        shown = getattr(dm, what).from_json(path)
        print(str(shown))
        for form in ("to_markdown", "to_latex", "to_json", "to_csv", "to_html"):
            if hasattr(shown, form):
                getattr(shown, form)()
    except dm.InputError as error:
        print(f"InputError: {error}", file=sys.stderr)
        return 2
    return 0


def _command(line: str, path: Path, name: str) -> int:
    from disentangle_metrics.cli import compare, data, evaluate
    from disentangle_metrics.kit import run_command
    from reference_models.cli import reproduce, train

    program, *arguments = line.split()
    arguments = [argument.replace("FILE", str(path)) for argument in arguments]
    if "RUN" in arguments:
        shutil.copytree("run", "damaged", dirs_exist_ok=True)
        shutil.copy(path, Path("damaged") / name)
        arguments[arguments.index("RUN")] = "damaged"
    if "pictures" in arguments:
        shutil.copy(path, "pictures/factors.csv")
    apps = {
        "dm-eval": evaluate.app,
        "dm-train": train.app,
        "dm-reproduce": reproduce.app,
        "dm-data": data.app,
    }
    app = apps[program]
    if program == "dm-eval" and arguments[0] == "compare":
        app, program, arguments = compare.app, compare.NAME, arguments[1:]
    return run_command(app, program, arguments)


def fault(code: int, out: str, err: str, seconds: float) -> str:
    """What is wrong with how it ended; empty if nothing is."""
    if code not in (0, 2):
        return f"exit code {code}: {err[-400:]}"
    said = [line for line in err.splitlines() if "error: " in line.lower()]
    if code == 2 and (len(said) != 1 or len(err) > 4000):  # remarks on the input may stand before it
        return f"{err.count(chr(10))} lines of {len(err)} characters: {err[:300]!r}"
    if any(ord(character) < 32 and character not in "\n\t" for character in out + err):
        return f"control codes: {[line for line in (out + err).splitlines() if not line.isprintable()][:2]!r}"
    if "Traceback" in out + err:
        return f"a traceback: {err[-400:]}"
    return f"{seconds:.1f} s" if seconds > SECONDS else ""


def attacked(kind: Kind, honest: Path, rng: np.random.Generator) -> tuple[str, str, bytes]:
    """Change the file and have it read: how it ended, what is wrong, and the file."""
    data = kind.change((honest / kind.name).read_bytes(), rng)
    path = honest / f"changed{Path(kind.name).suffix}"
    path.write_bytes(data)
    line = kind.lines[rng.integers(len(kind.lines))]
    began = time.process_time()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            code, out, err = read_by(line, path, kind.name)
        wrong = fault(code, out, err, time.process_time() - began)
    except Exception as error:
        code, wrong = -1, f"{type(error).__name__}: {str(error)[:300]}"
    for litter in ("damaged", "figures"):
        shutil.rmtree(honest / litter, ignore_errors=True)
    return line.partition(" --")[0] + f" -> {code}", wrong, data


def check_honest(honest: Path, kinds: list[Kind]) -> int:
    """Read each file as it is; 1 if any is refused, since no change of it would be tried then."""
    refused = 0
    for kind in kinds:
        for line in kind.lines:
            path = honest / f"changed{Path(kind.name).suffix}"
            path.write_bytes((honest / kind.name).read_bytes())
            code, _, err = read_by(line, path, kind.name)
            if code:
                refused += 1
                print(f"{kind.name}, {line}: {code} {err}")
    return int(refused > 0)


def limited_memory() -> None:
    """Refuse this process more memory than any of this takes."""
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    data = int(Path("/proc/self/statm").read_text().split()[5]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_DATA, (data + int(GIGABYTES * 1e9), hard))


def main() -> int:
    """Attack, print what went wrong, then how often each command ended how; 1 if anything went wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.hostile.mutated")
    parser.add_argument("--inputs", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--kinds", nargs="*", help="names of honest files")
    parser.add_argument("--keep", type=Path, help="folder for the files that did harm")
    parser.add_argument(
        "--honest", action="store_true", help="read each file unchanged, by all that reads it"
    )
    parser.add_argument("--seconds", type=float, default=float("inf"), help="stop after so long")
    given = parser.parse_args()
    kinds = [kind for kind in KINDS if given.kinds is None or kind.name in given.kinds]
    ends: Counter[str] = Counter()
    failed, began = 0, time.monotonic()
    with tempfile.TemporaryDirectory(prefix="attack-") as name:
        honest = Path(name)
        make_honest(honest, kinds)
        if given.honest:
            return check_honest(honest, kinds)
        limited_memory()
        signal.signal(signal.SIGALRM, _too_long)
        for number in range(given.inputs):
            if time.monotonic() - began > given.seconds:
                break
            rng = np.random.default_rng([given.seed, number])
            kind = kinds[number % len(kinds)]
            signal.alarm(60)
            try:
                end, wrong, data = attacked(kind, honest, rng)
            except TimeoutError as error:
                end, wrong, data = "never", str(error), b""
            signal.alarm(0)
            ends[f"{kind.name}: {end}"] += 1
            if wrong:
                failed += 1
                print(f"{kind.name}, input {number}, {end}: {wrong}", flush=True)
                if given.keep is not None:
                    given.keep.mkdir(parents=True, exist_ok=True)
                    (given.keep / f"{given.seed}-{number}-{kind.name}").write_bytes(data)
        os.chdir("/")
    for end, count in sorted(ends.items()):
        print(f"{end}: {count}")
    print(f"{sum(ends.values())} inputs, {failed} failed")
    return int(failed > 0)


def _too_long(number: int, frame: Any) -> None:
    raise TimeoutError("longer than a minute")


if __name__ == "__main__":
    sys.exit(main())
