"""Is one representation better than another? Differences of scores, with intervals and tests."""
