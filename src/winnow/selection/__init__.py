"""Which images are kept."""
