"""Variants of a data set: other looks, and choices of its images. The name says the variant and its seed."""
