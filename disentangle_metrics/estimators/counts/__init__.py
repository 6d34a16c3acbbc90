"""Counts of rows by latent bin and factor value, and what is computed from them."""
