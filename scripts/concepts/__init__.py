"""The pictures of the documentation that show concepts, and the data of its interactive plot."""
