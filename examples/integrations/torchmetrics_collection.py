"""Disentanglement scores in a MetricCollection, with rows that come in batches.

Needs the extra `torchmetrics`. Run: python examples/integrations/torchmetrics_collection.py
"""

import torch
from torchmetrics import MetricCollection

import disentangle_metrics as dm
from disentangle_metrics.integrations.torchmetrics import DisentanglementScore

dataset = dm.load_dataset("sprites")
names = {"factor_names": dataset.factor_names}
collection = MetricCollection(
    {
        "mig": DisentanglementScore("mig", options=names),  # these two keep the rows, once for both
        "sap": DisentanglementScore("sap", options=names),
        # counts alone, for codes in a known range: memory does not grow with the rows
        "mig_of_counts": DisentanglementScore("mig", ranges=[[-1, 1]] * 6, options=names),
    }
)
torch.manual_seed(0)
network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.LazyLinear(6), torch.nn.Tanh())  # put yours here
rows = torch.randperm(len(dataset))[:2000].numpy()
for start in range(0, len(rows), 200):
    batch = rows[start : start + 200]
    images = torch.from_numpy(dataset.images(batch)).permute(0, 3, 1, 2) / 255
    with torch.no_grad():
        collection.update(network(images), torch.from_numpy(dataset.factors(batch)))

print({name: round(value.item(), 4) for name, value in collection.compute().items()})
print(collection["mig"].report["mig"].signature)
