"""A metric in the validation step of a VAE, and the trained model scored over a DataLoader.

The images are gratings: frequency, angle, phase and contrast are known. Needs the extras `lightning` and
`torchmetrics`. Run: python examples/integrations/lightning_validation.py
"""

import itertools

import lightning
import numpy as np
import torch
from torch.utils.data import DataLoader, TensorDataset, random_split

import disentangle_metrics as dm
from disentangle_metrics.integrations.torchmetrics import DisentanglementScore

NAMES = ["frequency", "angle", "phase", "contrast"]


def gratings() -> TensorDataset:
    """768 images of 16 x 16, one for each combination of the factors."""
    factors = np.array(list(itertools.product(range(4), range(6), range(8), range(4))))
    frequency, angle, phase, contrast = factors.T[:, :, None, None]
    y, x = np.mgrid[0:16, 0:16] / 16
    along = x * np.cos(angle * np.pi / 6) + y * np.sin(angle * np.pi / 6)
    images = 0.5 + (0.1 + 0.1 * contrast) * np.sin(2 * np.pi * (1 + frequency) * along + phase * np.pi / 4)
    return TensorDataset(torch.tensor(images, dtype=torch.float32)[:, None], torch.tensor(factors))


class Vae(lightning.LightningModule):
    """A small VAE; its validation step collects codes, and MIG is computed once an epoch."""

    def __init__(self) -> None:
        super().__init__()
        self.body = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(256, 128), torch.nn.ReLU())
        self.mean, self.logvar = torch.nn.Linear(128, 6), torch.nn.Linear(128, 6)
        self.decoder = torch.nn.Sequential(
            torch.nn.Linear(6, 128), torch.nn.ReLU(), torch.nn.Linear(128, 256)
        )
        self.mig = DisentanglementScore("mig", options={"factor_names": NAMES})

    def encode(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        hidden = self.body(images)
        return self.mean(hidden), self.logvar(hidden)

    def training_step(self, batch: list[torch.Tensor], _: int) -> torch.Tensor:
        mean, logvar = self.encode(batch[0])
        code = mean + torch.randn_like(mean) * (logvar / 2).exp()
        error = (self.decoder(code) - batch[0].flatten(1)).square().sum(dim=1)
        return (error + (mean.square() + logvar.exp() - logvar - 1).sum(dim=1) / 20).mean()

    def validation_step(self, batch: list[torch.Tensor], _: int) -> None:
        self.mig.update(self.encode(batch[0]), batch[1])
        self.log("val_mig", self.mig, on_epoch=True)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.Adam(self.parameters(), 1e-3)


lightning.seed_everything(0, verbose=False)
data = gratings()
train, held_out = random_split(data, [500, 268])
trainer = lightning.Trainer(
    max_epochs=3, accelerator="cpu", logger=False, enable_checkpointing=False, enable_progress_bar=False,
    enable_model_summary=False,
)  # fmt: skip
model = Vae()
trainer.fit(model, DataLoader(train, 50, shuffle=True), DataLoader(held_out, 134))
print(f"MIG of held-out images: {float(trainer.callback_metrics['val_mig']):.3f}")

report = dm.evaluate(
    model,
    DataLoader(data, 128),
    encode_with="encode",
    factor_names=NAMES,
    metrics=["mig", "dci_informativeness"],
)
print(report)
