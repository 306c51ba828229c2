"""DeepCore's and the authors' own code, a file each: a function that takes a clone and gives a function from images to
cases (``cases.Compare``). agreement.py runs them."""
