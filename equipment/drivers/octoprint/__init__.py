"""OctoPrint 1.11 and 2.x: REST for truth, the push channel for promptness."""
