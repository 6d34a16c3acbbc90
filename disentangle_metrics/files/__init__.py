"""Latents and factors from files of many forms, told apart by their content; no reader can run code."""
