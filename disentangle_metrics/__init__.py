"""Score whether a representation is disentangled."""
