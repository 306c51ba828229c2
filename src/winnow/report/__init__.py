"""What a person reads: pictures, comparisons."""
