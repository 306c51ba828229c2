"""Scores of what a network forgets of one half of the images while it trains on the other. Each takes whether the
network was right after each epoch of the second half, uint8 [epochs, n], and returns [n]."""
