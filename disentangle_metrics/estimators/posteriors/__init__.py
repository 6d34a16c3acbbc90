"""Information of Gaussian posteriors."""
