"""The runs of a comparison: models x beta x seeds on a data set, as a plan file lists them."""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from disentangle_metrics import InputError
from disentangle_metrics.kit import did_you_mean
from reference_models.comparison.plans import PLANS
from reference_models.datasets import SAME_GRID
from reference_models.models import model_class
from reference_models.training import recipe
from reference_models.training.settings import Settings


@dataclass(frozen=True)
class Run:
    """One training run, and what it is measured on.

    Attributes
    ----------
    purpose : str
        ``"pilot"`` (to choose a learning rate), ``"comparison"`` or ``"ablation"``.
    variant : str
        What an ablation leaves out; empty for the model as it is.
    arguments, settings : dict
        Of the model and of the loop.
    samples : int
        Images that are measured.
    factors : tuple of str
        What the published protocol scores against.
    side : int or None
        Height and width that the images are pooled to; None leaves them as they are.
    information_images : int or None
        Images that the information of the layers is summed over; None: every one. Fewer are for
        trying things out: they cannot show more than the logarithm of their number.
    """

    purpose: str
    dataset: str
    model: str
    variant: str
    beta: float
    seed: int
    arguments: dict[str, Any]
    settings: dict[str, Any]
    samples: int
    factors: tuple[str, ...]
    side: int | None = None
    information_images: int | None = None

    @property
    def key(self) -> str:
        """Names the run, and no run that would give another result."""
        what = {name: value for name, value in self.facts().items() if name != "purpose"}
        digest = hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()[:8]
        name = "-".join([self.model, *self.variant.replace(",", "").split(), f"beta{self.beta:g}"])
        return f"{self.dataset}-{name}-rate{self.settings['learning_rate']:g}-seed{self.seed}-{digest}"

    def facts(self) -> dict[str, Any]:
        """All that is set of the run."""
        return {name: value for name, value in asdict(self).items() if value is not None}

    @property
    def plan(self) -> recipe.Plan:
        """The run as the training loop takes it."""
        return recipe.Plan(self.model, self.dataset, "comparison", self.arguments, Settings(**self.settings))


@dataclass(frozen=True)
class Comparison:
    """A plan for one data set."""

    plan: str
    dataset: str
    table: Mapping[str, Any]

    @property
    def models(self) -> tuple[str, ...]:
        return tuple(self.table["models"])

    def pilots(self) -> list[Run]:
        """Runs at one beta with a seed of their own, one for each learning rate to choose from."""
        rates = self.table["learning_rates"]
        if len(rates) == 1:
            return []
        beta, seed = self.table["pilot_beta"], self.table["pilot_seed"]
        return [self._run("pilot", model, beta, seed, rate) for model in self.models for rate in rates]

    def learning_rates(self, rows: Iterable[Mapping[str, Any]]) -> dict[str, float]:
        """The learning rate of each model, by one rule: the pilot with the smallest objective.

        The objective is that of the beta-VAE, reconstruction + beta * KL, measured on images after
        training: it knows nothing of the factors. A pilot that failed is out.

        Raises
        ------
        InputError
            If every pilot of a model failed, or none has finished yet.
        """
        rates = self.table["learning_rates"]
        if len(rates) == 1:
            return dict.fromkeys(self.models, rates[0])
        finished = {row["key"]: row for row in rows if "error" not in row}
        chosen = {}
        for model in self.models:
            pilots = [run for run in self.pilots() if run.model == model and run.key in finished]
            if not pilots:
                raise InputError(f"no pilot run of {model} on {self.dataset} has finished")
            best = min(pilots, key=lambda run: float(finished[run.key]["objective"]))
            chosen[model] = float(best.settings["learning_rate"])
        return chosen

    def runs(self, learning_rates: Mapping[str, float]) -> list[Run]:
        """Every run of the comparison and of the ablation, seed by seed.

        So the first seed of all models is there before the second of any.
        """
        runs = []
        for seed in self.table["seeds"]:
            for beta in self.table["betas"]:
                runs += [self._run("comparison", m, beta, seed, learning_rates[m]) for m in self.models]
            for variant, changes in self.table.get("ablation", {}).items():
                rate, beta = learning_rates["pro-vlae"], self.table["ablation_beta"]
                runs.append(self._run("ablation", "pro-vlae", beta, seed, rate, variant, changes))
        return runs

    def part(
        self, betas: Sequence[float] = (), seeds: Sequence[int] = (), ablation: bool = True
    ) -> Comparison:
        """The runs of these betas and seeds alone; those of all, where none is named.

        Raises InputError if the plan has no such beta or seed.
        """
        for name, asked in (("betas", betas), ("seeds", seeds)):
            if missing := set(asked) - set(self.table[name]):
                named, has = (
                    ", ".join(f"{value:g}" for value in some) for some in (sorted(missing), self.table[name])
                )
                raise InputError(f"the plan {self.plan!r} has no {name} {named}; it has {has}")
        table = {
            **self.table,
            "betas": [beta for beta in self.table["betas"] if not betas or beta in betas],
            "seeds": [seed for seed in self.table["seeds"] if not seeds or seed in seeds],
        }
        if not ablation or table.get("ablation_beta") not in table["betas"]:
            table.pop("ablation", None)
        return replace(self, table=table)

    def _run(
        self,
        purpose: str,
        model: str,
        beta: float,
        seed: int,
        learning_rate: float,
        variant: str = "",
        changes: Mapping[str, Any] | None = None,
    ) -> Run:
        table = self.table
        settings = {
            "steps": table["steps"],
            "batch_size": table["batch_size"],
            "warmup_steps": table["warmup_steps"],
            "learning_rate": learning_rate,
            "seed": seed,
            **({"precision": table["precision"]} if "precision" in table else {}),
        }
        return Run(
            purpose=purpose,
            dataset=self.dataset,
            model=model,
            variant=variant,
            beta=beta,
            seed=seed,
            arguments={**table["models"][model], "beta": beta, **(changes or {})},
            settings=settings,
            samples=table["samples"],
            factors=tuple(table["factors"]),
            side=table.get("side"),
            information_images=table.get("information_images"),
        )


def read_comparison(plan: str, dataset: str) -> Comparison:
    """The plan of this name for a data set.

    Raises
    ------
    InputError
        If there is no such plan, or it has no runs on this data set.
    """
    known = sorted(path.stem for path in PLANS.glob("*.toml"))
    if plan not in known:
        hint = did_you_mean(plan, known)
        raise InputError(f"unknown plan {plan!r}; {hint}known: {', '.join(known)}")
    tables = tomllib.loads((PLANS / f"{plan}.toml").read_text(encoding="utf-8"))
    twin = SAME_GRID.get(dataset, dataset)  # a real data set has the plan of its twin
    if twin not in tables:
        names = [*tables, *(real for real, own in SAME_GRID.items() if own in tables)]
        raise InputError(f"the plan {plan!r} has no runs on {dataset!r}; it has: {', '.join(names)}")
    for model in tables[twin]["models"]:
        model_class(model)
    return Comparison(plan, dataset, tables[twin])
