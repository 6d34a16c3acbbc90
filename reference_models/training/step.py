"""One training step: images, objective, gradients, Adam; the same on every device.

:meth:`Step.take` is all that is computed in a step. On CUDA it is captured as a graph and replayed
(`replay`), which is another way to call it and no second loop. So it reads only what
:meth:`Step.load` has made ready, asks the device for nothing, and leaves its results in tensors
that the host reads when a row of the log is due.
"""

from __future__ import annotations

from statistics import fmean

import numpy as np
import torch
from torch import Tensor

from reference_models.models.parts.model import Model
from reference_models.training.devices import Team
from reference_models.training.feeds import Feed
from reference_models.training.overwritten import Overwritten
from reference_models.training.precision import autocast, loss_scaler
from reference_models.training.settings import Settings


class Step:
    """What takes one step after another.

    Parameters
    ----------
    model : Model
        On its device.
    settings : Settings
    team : Team
    capturable : bool
        Keep all that Adam needs on the device, the learning rates too.
    """

    def __init__(self, model: Model, settings: Settings, team: Team, *, capturable: bool) -> None:
        self.model, self.settings, self.team = model, settings, team
        groups = model.parameter_groups(settings.learning_rate)
        self.optimizer = torch.optim.Adam(groups, fused=True, capturable=capturable)
        self.rates = np.array([group["lr"] for group in self.optimizer.param_groups])
        self.objective = torch.compile(model.objective) if settings.compile else model.objective
        self.precision = autocast(settings.precision, team.device)
        self.scaler = loss_scaler(settings.precision, team.device)
        self.names: list[str] = []  # of the objective's terms
        self.values: Tensor | None = None  # (parts, terms) of the last step
        self.on_device = self._rates_on_device() if capturable else None

    def _rates_on_device(self) -> Overwritten:
        rates = Overwritten({"rates": self.rates.astype(np.float32)}, self.team.device)
        for group, rate in zip(self.optimizer.param_groups, rates.tensors["rates"], strict=True):
            group["lr"] = rate
        return rates

    def begin(self, feed: Feed, start: int) -> None:
        """Count steps from `start`, and take what is needed from `feed`."""
        self.feed = feed
        self.number = torch.tensor(start, device=self.team.device)
        # The first step whose loss was not finite; looked at when logging and saving.
        self.first_bad = torch.tensor(self.settings.steps, device=self.team.device)

    def load(self, step: int) -> None:
        """Make ready what `step` reads, on the host."""
        self.feed.load(step)
        rates = self.rates * min(1.0, (step + 1) / max(1, self.settings.warmup_steps))
        if self.on_device is not None:
            self.on_device.set({"rates": rates.astype(np.float32)})
            return
        for group, rate in zip(self.optimizer.param_groups, rates.tolist(), strict=True):
            group["lr"] = rate

    def take(self) -> None:
        """Take the step that was loaded."""
        self.optimizer.zero_grad()
        values = []
        for images, draws in self.feed.parts():
            with self.precision:
                terms = self.objective(images, **draws)
            self.scaler.scale(terms["loss"] / self.settings.accumulate).backward()  # type: ignore[no-untyped-call]
            values.append(torch.stack([term.detach() for term in terms.values()]))
        self.team.average_gradients(self.model.parameters())
        self.scaler.step(self.optimizer)
        self.scaler.update()

        self.names, self.values = list(terms), torch.stack(values)
        finite = torch.isfinite(self.values[:, self.names.index("loss")]).all()
        first_bad = torch.minimum(self.first_bad, self.number)
        self.first_bad.copy_(torch.where(finite, self.first_bad, first_bad))
        self.number.add_(1)

    def terms(self) -> dict[str, float]:
        """The objective's terms at the last step, averaged over its parts; waits for the device."""
        assert self.values is not None, "take() comes first"
        means = [fmean(part) for part in self.values.T.tolist()]
        everywhere = self.team.gather(torch.tensor(means, dtype=torch.float64)).mean(0).tolist()
        return dict(zip(self.names, everywhere, strict=True))

    def first_not_finite(self) -> int | None:
        """The first step whose loss was not finite, if there is one; waits for the device."""
        bad = int(self.team.gather(self.first_bad).min())
        return bad if bad < self.settings.steps else None
