"""The arithmetic on plain arrays: counts, densities, neighbours, probes."""
