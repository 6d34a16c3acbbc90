"""Reference models that make representations to evaluate."""
