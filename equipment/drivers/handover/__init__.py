"""A person carries the file."""
