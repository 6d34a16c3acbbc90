"""``python -m disentangle_metrics`` is the command dm-eval."""

from disentangle_metrics.cli.evaluate import main

if __name__ == "__main__":
    main()
