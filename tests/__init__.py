"""The tests, as a package of its own: an installed distribution brings another `tests`."""
