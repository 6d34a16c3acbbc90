"""How often do intervals of a comparison hold the truth, with few seeds? Bootstrap against Student's.

Two models without any difference, normal scores, three or five seeds at one beta or three; prints the
share of 95 percent intervals that hold 0. Takes seconds.

Run: python examples/studies/intervals_of_few_seeds.py
"""

import numpy as np

from reference_models.comparison.statistics import influences, stratified_difference, student

TRIALS, REPLICATES = 1_500, 800
SPREADS = {"equal": (1.0, 1.0), "unequal": (1.0, 0.3)}  # standard deviation of each model's scores

rng = np.random.default_rng(0)
print("seeds  betas  spreads  basic bootstrap  Student's")
for seeds in (3, 5):
    for betas in (1, 3):
        groups = np.repeat([True, False], betas * seeds), np.tile(np.repeat(np.arange(betas), seeds), 2)
        for name, spreads in SPREADS.items():
            held = np.zeros(2)
            for _ in range(TRIALS):
                scores = rng.normal(size=(2, betas, seeds)) * np.reshape(spreads, (2, 1, 1))
                values = scores.ravel()
                difference = stratified_difference(values, *groups)
                drawn = rng.integers(seeds, size=(REPLICATES, *scores.shape))
                means = np.take_along_axis(scores[None], drawn, axis=-1).mean(axis=-1)
                low, high = np.quantile((means[:, 0] - means[:, 1]).mean(axis=-1), [0.025, 0.975])
                held[0] += 2 * difference - high <= 0 <= 2 * difference - low
                low, high, _ = student(difference, influences(values, *groups), *groups)
                held[1] += low <= 0 <= high
            bootstrap, students = held / TRIALS
            print(f"{seeds:5}  {betas:5}  {name:7}  {bootstrap:15.3f}  {students:9.3f}")
