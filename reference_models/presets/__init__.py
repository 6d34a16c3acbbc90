"""The presets: one file for each model, with a reason beside its numbers."""

from pathlib import Path

PRESETS = Path(__file__).parent
