"""Answers of `python -m adamjax`: each command as text, tables, pictures."""
