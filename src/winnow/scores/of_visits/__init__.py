"""Scores of how an image fared, visit by visit. Each takes which images were classified right after every epoch, uint8
[epochs, n] (``training.loop.Run.correct``), and gives the score after every epoch, float32 [epochs, n]."""
