"""Write ``disentangle_metrics/reference_scores/scores.json``, the table behind ``dm.published``.

It is made from all files of rows under examples/reproduction, ``DATASET-PLAN.jsonl``, and from the reports
beside the bundled checkpoints, ``NAME.scores.json`` (``dm-eval NAME --dataset DATASET --json FILE``). A
checkpoint that is the model of a row has the row's `run`. Run ``python -m tools.published_scores`` after
adding rows or a checkpoint.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from disentangle_metrics.scoring.report import Report
from reference_models.bundled import FOLDER
from reference_models.comparison.rows import read_rows
from tools.made_file import deliver

ROOT = Path(__file__).parents[1]
ROWS = ROOT / "examples" / "reproduction"
TARGET = ROOT / "disentangle_metrics" / "reference_scores" / "scores.json"
PROTOCOLS = {
    "published": "li2020",
    "metrics": "default",
}  # of the scores in a row, by the name they have there

Scores = list[tuple[str, str, float | None]]  # protocol, signature, value


def runs_of_rows(path: Path) -> Iterator[tuple[dict[str, Any], Scores]]:
    """Every finished run of a file of rows, and its scores."""
    for row in read_rows(path):
        if "error" in row:
            continue
        facts = {
            "dataset": row["dataset"],
            "side": row["arguments"]["image_shape"][-1],
            "model": row["model"],
            "variant": row["variant"],
            "beta": row["beta"],
            "seed": row["seed"],
            "run": row["key"],
            "plan": path.stem.removeprefix(f"{row['dataset']}-"),
            "purpose": row["purpose"],
            "sha256": "",
            "source": path.relative_to(ROOT).as_posix(),
        }
        scores = [
            (protocol, score["signature"], score["value"])
            for name, protocol in PROTOCOLS.items()
            for score in row.get(name, {}).values()
        ]
        yield facts, scores


def bundled_runs() -> Iterator[tuple[dict[str, Any], Scores]]:
    """Every bundled checkpoint, and its scores."""
    keys = {
        training(row, row["iterations"], row): row["key"]
        for path in ROWS.rglob("*.jsonl")
        for row in read_rows(path)
        if "error" not in row
    }
    for path in sorted(FOLDER.glob("*.scores.json")):
        name = path.name.removesuffix(".scores.json")
        made = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
        report = Report.from_json(path)
        facts = {
            "dataset": made["dataset"],
            "side": made["arguments"]["image_shape"][-1],
            "model": made["architecture"],
            "variant": "",
            "beta": made["arguments"]["beta"],
            "seed": made["seed"],
            "run": keys.get(training(made, made["step"], made["settings"]), name),
            "plan": "bundled",
            "purpose": "checkpoint",
            "sha256": report.provenance["encoder"]["sha256"],
            "source": f"checkpoint {name}",
        }
        plain = report.to_dict()["scores"]
        yield facts, [(report.protocol, s["signature"], s["value"]) for s in plain.values()]


def training(made: dict[str, Any], steps: int, settings: dict[str, Any]) -> str:
    """What was trained, of a row or of a checkpoint's description: equal for the same run."""
    model = made.get("architecture", made.get("model"))
    names = ("batch_size", "learning_rate", "warmup_steps", "precision")
    what = [made["dataset"], model, made["arguments"], made["seed"], steps]
    return json.dumps([*what, *(settings.get(name) for name in names)], sort_keys=True)


def text() -> str:
    """The file: sets of protocols and signatures, and one line for each run."""
    sets: dict[tuple[tuple[str, str], ...], int] = {}
    lines = []
    rows = [run for path in sorted(ROWS.rglob("*.jsonl")) for run in runs_of_rows(path)]
    for facts, scores in [*bundled_runs(), *rows]:
        signed = tuple((protocol, signature) for protocol, signature, _ in scores)
        number = sets.setdefault(signed, len(sets))
        lines.append(json.dumps({**facts, "set": number, "values": [value for *_, value in scores]}))
    of_sets = ",\n".join(json.dumps(signed) for signed in sets)
    of_runs = ",\n".join(lines)
    return f'{{"format": 1,\n"sets": [\n{of_sets}\n],\n"runs": [\n{of_runs}\n]}}\n'


if __name__ == "__main__":
    deliver(TARGET, text())
