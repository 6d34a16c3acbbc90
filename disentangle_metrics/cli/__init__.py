"""The commands: they parse, call the package's public face, and print."""
