"""Files that people handed in: stored, hashed, judged."""
