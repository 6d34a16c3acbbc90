"""The plans of comparisons, one TOML file each."""

from pathlib import Path

PLANS = Path(__file__).parent
