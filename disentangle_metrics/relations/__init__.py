"""Tables of latents against factors, computed once for each call and shared by the metrics."""
