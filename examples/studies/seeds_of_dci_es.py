"""How far `dci_explicitness` scatters with the seed, which draws its folds and random features.

Three factors of six values and three latents of noise, turned together: a linear code with noise. Each line
is of the same rows, scored with ten seeds, and with its latents in ten orders. It takes ten seconds.

Run: python examples/studies/seeds_of_dci_es.py
"""

import numpy as np

import disentangle_metrics as dm

SEEDS = range(10)


def code(rows):
    """Latents (rows, 6) and factors (rows, 3)."""
    rng = np.random.default_rng(0)
    factors = rng.integers(6, size=(rows, 3))
    latents = np.column_stack([factors, rng.normal(size=(rows, 3))]) + 0.3 * rng.normal(size=(rows, 6))
    return latents @ np.linalg.qr(rng.normal(size=(6, 6)))[0], factors


def explicitness(latents, factors, seed=0):
    return dm.dci_es(latents, factors, seed=seed)["dci_explicitness"].value


def main():
    print("| rows | mean of 10 seeds | lowest | highest | 10 orders of the latents |")
    print("|---:|---:|---:|---:|---:|")
    for rows in (500, 2_000, 5_000):
        latents, factors = code(rows)
        seeds = [explicitness(latents, factors, seed) for seed in SEEDS]
        turns = [np.random.default_rng(seed).permutation(6) for seed in SEEDS]
        orders = [explicitness(latents[:, order], factors) for order in turns]
        print(
            f"| {rows:,} | {np.mean(seeds):.2f} | {min(seeds):.2f} | {max(seeds):.2f} | "
            f"{min(orders):.2f} to {max(orders):.2f} |"
        )


if __name__ == "__main__":
    main()
