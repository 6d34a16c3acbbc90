"""A user's own images and factors: arrays, archives, folders, data sets of Hugging Face."""
