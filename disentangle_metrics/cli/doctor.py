"""What ``dm-eval doctor`` prints: all that a report of a fault should say of the machine."""

from __future__ import annotations

import os
import platform
import re
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

from disentangle_metrics.datasets import DATASETS
from disentangle_metrics.datasets.storage.published import data_folder
from disentangle_metrics.encoders import CHECKPOINTS, ENCODERS
from disentangle_metrics.kit.installing import PACKAGE, install_line, origin
from disentangle_metrics.metrics import METRICS
from disentangle_metrics.version import __version__

VARIABLES = ("CUDA_VISIBLE_DEVICES", "MKL_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")


def diagnosis() -> str:
    """Versions, extras, devices, caches and plug-ins, in sections; folders of the user begin with ``~``."""
    sections = {
        "system": _system(),
        "needed packages": _versions(_needs().get("", [])),
        "extras": _extras(),
        "devices": _devices(),
        "caches": _caches(),
        "plug-ins": _plugins(),
    }
    lines = [f"{PACKAGE} {__version__}"]
    for title, items in sections.items():
        lines += ["", title, *(f"  {item}" for item in items)]
    return "\n".join(lines)


def _system() -> Iterator[str]:
    yield f"Python {platform.python_version()} at {_home(sys.executable)}"
    yield platform.platform()
    yield f"{os.cpu_count()} CPU cores"
    yield f"installed from {_home(origin().get('url', 'an index').removeprefix('file://'))}"
    yield from (f"{name}={os.environ[name]}" for name in VARIABLES if name in os.environ)


def _needs() -> dict[str, list[str]]:
    """The packages that each extra names; "" stands for no extra."""
    try:
        lines = requires(PACKAGE) or []
    except PackageNotFoundError:  # the sources are imported without having been installed
        return {}
    needs: dict[str, list[str]] = {}
    for line in lines:
        system = re.search(r"sys_platform\s*==\s*['\"](\w+)['\"]", line)
        if system is not None and system[1] != sys.platform:
            continue
        extras = re.findall(r"extra\s*==\s*['\"]([\w-]+)['\"]", line)
        name = re.match(r"[\w.-]+", line)
        for extra in extras or [""]:
            known = needs.setdefault(extra, [])
            if name is not None and name[0] not in known:  # a clone names its checkpoints twice
                known.append(name[0])
    return needs


def _versions(names: list[str]) -> Iterator[str]:
    yield from (f"{name} {_version(name) or 'is missing'}" for name in names)


def _version(name: str) -> str:
    """The installed version; empty if there is none."""
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def _extras() -> Iterator[str]:
    needs = {
        extra: [name for name in names if name != PACKAGE]
        for extra, names in _needs().items()
        if extra not in ("", "all", "docs", "release", "test")
    }
    width = max(map(len, needs), default=0)
    for extra, names in sorted(needs.items()):
        missing = [name for name in names if not _version(name)]
        if missing:
            yield f"{extra:<{width}}  {', '.join(missing)} missing: {install_line(extra)}"
        else:
            yield f"{extra:<{width}}  {', '.join(f'{name} {_version(name)}' for name in names)}"


def _devices() -> Iterator[str]:
    try:
        import torch
    except ImportError as error:
        yield f"cpu; PyTorch cannot be imported ({error})"
        return
    yield f"cpu, {torch.get_num_threads()} threads of PyTorch"
    for number in range(torch.cuda.device_count()):
        facts = torch.cuda.get_device_properties(number)
        yield f"cuda:{number}, {facts.name}, {_size(facts.total_memory)}, CUDA {torch.version.cuda}"
    if torch.backends.mps.is_available():
        yield "mps"


def _caches() -> Iterator[str]:
    folder = data_folder(None)
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    sizes = {path: path.stat().st_size for path in files}
    yield f"{_home(str(folder))}: {len(files)} files, {_size(sum(sizes.values()))}"
    yield from (f"  {path.relative_to(folder)}, {_size(size)}" for path, size in sizes.items())


def _plugins() -> Iterator[str]:
    """What other packages add, by name."""
    none = True
    for registry in (METRICS, DATASETS, ENCODERS, CHECKPOINTS):
        for name, point in registry.plugins.items():
            if point.dist is None or point.dist.name != PACKAGE:
                none = False
                source = f"{point.dist.name} {point.dist.version}" if point.dist else point.value
                yield f"{registry.kind} {name}, of {source}"
    if none:
        yield "none"


def _home(path: str) -> str:
    """A path without the name of the user."""
    home = str(Path.home())
    return f"~{path.removeprefix(home)}" if path.startswith(f"{home}{os.sep}") else path


def _size(count: float) -> str:
    """A number of bytes in the unit that suits it."""
    units = ["B", "kB", "MB", "GB"]
    while count >= 1000 and len(units) > 1:
        count /= 1000
        del units[0]
    return f"{count:.1f} {units[0]}".replace(".0 ", " ")
