"""``python -m disentangle_metrics`` is the command dm-eval."""

from disentangle_metrics.cli import dm_eval

if __name__ == "__main__":
    dm_eval()
