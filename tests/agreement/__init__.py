"""Agreement with the public implementations, on the recorded reference values."""
