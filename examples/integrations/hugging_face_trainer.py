"""Watch disentanglement while the Trainer of Hugging Face trains; then score the folder it saved.

Needs the extra `transformers`. Run: python examples/integrations/hugging_face_trainer.py
"""

import torch
from torch.utils.data import DataLoader, TensorDataset
from transformers import Trainer, TrainingArguments, ViTConfig, ViTModel

import disentangle_metrics as dm
from disentangle_metrics.integrations.transformers import ScoreCallback

dataset = dm.load_dataset("sprites")
order = torch.randperm(len(dataset), generator=torch.Generator().manual_seed(0)).numpy()


def images(rows):
    return torch.from_numpy(dataset.images(rows)).permute(0, 3, 1, 2) / 255


class Classifier(torch.nn.Module):
    """A transformer that learns the shape; its code is the pooled output."""

    def __init__(self) -> None:
        super().__init__()
        config = ViTConfig(
            image_size=64, patch_size=16, num_channels=1, hidden_size=16, num_hidden_layers=1,
            num_attention_heads=2, intermediate_size=32,
        )  # fmt: skip
        self.vit = ViTModel(config)
        self.head = torch.nn.Linear(16, dataset.factor_sizes[0])

    def encode(self, pixel_values):
        return self.vit(pixel_values=pixel_values).pooler_output

    def forward(self, pixel_values, labels):
        return {"loss": torch.nn.functional.cross_entropy(self.head(self.encode(pixel_values)), labels)}


torch.manual_seed(0)
model = Classifier()
train, held_out = order[:1000], order[1000:1600]
shapes = torch.from_numpy(dataset.factors(train))[:, 0]
trainer = Trainer(
    model,
    TrainingArguments(
        "runs", num_train_epochs=2, save_strategy="no", report_to=[], use_cpu=True, disable_tqdm=True
    ),
    train_dataset=[{"pixel_values": x, "labels": y} for x, y in zip(images(train), shapes, strict=True)],
)
loader = DataLoader(TensorDataset(images(held_out), torch.from_numpy(dataset.factors(held_out))), 100)
trainer.add_callback(ScoreCallback(trainer, loader, encode_with="encode", factor_names=dataset.factor_names))
trainer.train()

model.vit.save_pretrained("vit")  # config.json and model.safetensors
encoder = dm.load_encoder("vit", device="cpu")
print(dm.evaluate(encoder, dataset, samples=600, metrics=["mig", "mig_sup"]))
