"""Which factors a data set has."""
