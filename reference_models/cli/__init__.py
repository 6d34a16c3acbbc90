"""The commands dm-train and dm-reproduce: they parse, call the package, and print."""
