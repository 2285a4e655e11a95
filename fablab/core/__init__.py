"""Knows nobody: errors, clock, ids, checks."""
