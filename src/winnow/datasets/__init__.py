"""Sources of images, and how the pipeline prepares their images for training."""
