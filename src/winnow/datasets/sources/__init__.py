"""The sources of images: each a file, with a function of its name from the section download to a ``source.Source``.

It raises UserError, with the reason and a way out, if the images are missing or damaged. A source is imported when it
is asked for, because torchvision costs seconds.
"""
