"""Select the training images to keep."""
