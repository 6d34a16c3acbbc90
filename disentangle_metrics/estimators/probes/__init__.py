"""Predictors of factors from latents."""
