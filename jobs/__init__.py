"""Files, and what happens to them."""
