"""A model file becomes a callable from images to latents, and never runs code unasked.

The kind of a file is found from its content (`sniffing`), weights are read by readers that cannot
run code (`weights`), a network is built from a registered architecture or from the user's own code
(`networks`), and the files that are programs are opened only for a caller who says so (`trusted`).
PyTorch is imported only when a model is loaded.
"""

from disentangle_metrics.encoders.encoder import Encoder, ModelSource
from disentangle_metrics.encoders.loading import load_encoder
from disentangle_metrics.encoders.registries import CHECKPOINTS, ENCODERS

__all__ = ["CHECKPOINTS", "ENCODERS", "Encoder", "ModelSource", "load_encoder"]
