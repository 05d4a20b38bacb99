"""One paper, one file. `_template.py` shows the parts of a file and their order."""
