"""Places, opening hours, closures, roles per site, and who is there."""
