"""What `python -m adamjax` answers: each command as text, tables, pictures."""
