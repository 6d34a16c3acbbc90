"""What comes in: latents and factors, checked once."""
