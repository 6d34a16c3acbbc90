"""The comparison of models: many runs of a plan, their rows, and what follows from them."""
