"""Scores of whether an image was classified right at each visit. Each takes the record of every epoch, uint8
[epochs, n] (``training.loop.Run.correct``), and returns the score after every epoch, float32 [epochs, n]."""
