"""What ``dm-eval --list`` and ``dm-eval --protocol list`` print."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from disentangle_metrics.cli.dataset_lines import images, whereabouts
from disentangle_metrics.datasets import DATASETS
from disentangle_metrics.datasets.description import description_of
from disentangle_metrics.encoders import CHECKPOINTS, ENCODERS
from disentangle_metrics.encoders.registries import checkpoint_file
from disentangle_metrics.errors import InputError, PluginError
from disentangle_metrics.metrics import METRICS
from disentangle_metrics.metrics.lookup import find_scores
from disentangle_metrics.scoring.protocols import PROTOCOLS

WIDTH = 100


def listing() -> str:
    """Every name that can be asked for: metrics, protocols, data sets, architectures, checkpoints."""
    metrics = {
        name: "; ".join(
            f"{score.key}{f' ({score.property})' if score.property else ''}" for score in definition.scores
        )
        for name, definition in METRICS.load_all().items()
    }
    metrics["udr"] = "of several models: dm.udr(list_of_latents) in Python"
    datasets = {}
    for name, load in DATASETS.load_all().items():
        description = description_of(load)
        datasets[name] = f"{description.summary}; {images(description)}; {whereabouts(name, description)}"
    protocols = {name: protocol.source for name, protocol in PROTOCOLS.items()}
    return "\n".join(
        [
            *_section("metrics, and the scores they give", metrics),
            *_section("protocols (--protocol)", protocols),
            *_section("data sets (--dataset)", datasets),
            *_section("architectures (--arch)", dict.fromkeys(ENCODERS.names(), "")),
            *_section(
                "bundled checkpoints (MODEL)", {name: _whether_here(name) for name in CHECKPOINTS.names()}
            ),
        ]
    ).rstrip()


def _whether_here(checkpoint: str) -> str:
    try:
        here = checkpoint_file(checkpoint).is_file()
    except InputError:
        here = False
    except PluginError as error:
        return str(error)
    return "" if here else "not installed; the extra models has it"


def protocol_list() -> str:
    """Each protocol with its year, its paper and the scores that it is made of."""
    blocks = []
    for name, protocol in PROTOCOLS.items():
        year = "".join(character for character in name if character.isdigit())
        keys = dict.fromkeys(key for item in protocol.suite for key in find_scores(item)[1])
        lines = {"year": year, "source": protocol.source, "scores": ", ".join(keys)}
        told = (
            textwrap.fill(f"  {title:<8}{text}", WIDTH, subsequent_indent=" " * 10, break_on_hyphens=False)
            for title, text in lines.items()
            if text
        )
        blocks.append("\n".join([name, *told]))
    return "\n\n".join(blocks)


def _section(title: str, items: dict[str, str]) -> Iterator[str]:
    width = max(map(len, items), default=0)
    yield title
    yield from (f"  {name:<{width}}  {text}".rstrip() for name, text in items.items())
    yield ""
