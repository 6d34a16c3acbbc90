"""Where the images of a data set lie."""
