"""Watch disentanglement while a VAE trains with Lightning; keep the epoch with the best MIG.

Needs the extra `lightning`. Run: python examples/integrations/lightning_callback.py
"""

import lightning
import torch
from lightning.pytorch.callbacks import ModelCheckpoint
from lightning.pytorch.loggers import CSVLogger
from torch.nn import functional
from torch.utils.data import DataLoader, TensorDataset

import disentangle_metrics as dm
from disentangle_metrics.integrations.lightning import ScoreCallback


class Vae(lightning.LightningModule):
    """A small beta-VAE of 64 x 64 grey images."""

    def __init__(self, beta: float = 4.0) -> None:
        super().__init__()
        self.beta = beta
        self.encoder = torch.nn.Sequential(
            torch.nn.Flatten(), torch.nn.Linear(4096, 128), torch.nn.ReLU(), torch.nn.Linear(128, 12)
        )
        self.decoder = torch.nn.Sequential(
            torch.nn.Linear(6, 128), torch.nn.ReLU(), torch.nn.Linear(128, 4096)
        )

    def encode(self, images):
        return self.encoder(images).chunk(2, dim=1)  # mean, logvar

    def training_step(self, batch, _):
        images = batch[0]
        mean, logvar = self.encode(images)
        code = mean + torch.randn_like(mean) * (logvar / 2).exp()
        rebuilt = functional.binary_cross_entropy_with_logits(
            self.decoder(code), images.flatten(1), reduction="sum"
        )
        divergence = 0.5 * (mean**2 + logvar.exp() - 1 - logvar).sum()
        return (rebuilt + self.beta * divergence) / len(images)

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), 1e-3)


lightning.seed_everything(0)
dataset = dm.load_dataset("sprites")
order = torch.randperm(len(dataset)).numpy()


def loader(rows, shuffle=False):
    images = torch.from_numpy(dataset.images(rows)).permute(0, 3, 1, 2) / 255
    return DataLoader(TensorDataset(images, torch.from_numpy(dataset.factors(rows))), 64, shuffle)


scores = ScoreCallback(
    loader(order[2000:3000]), every_n_epochs=1, encode_with="encode", factor_names=dataset.factor_names
)
trainer = lightning.Trainer(
    max_epochs=3,
    accelerator="cpu",
    logger=CSVLogger("logs"),
    callbacks=[scores, ModelCheckpoint(monitor="mig", mode="max")],
    enable_progress_bar=False,
    enable_model_summary=False,
)
trainer.fit(Vae(), loader(order[:2000], shuffle=True))
for epoch, report in scores.reports.items():
    print(epoch, {name: round(score.value, 4) for name, score in report.items()})
print("the best epoch:", trainer.checkpoint_callback.best_model_path)
