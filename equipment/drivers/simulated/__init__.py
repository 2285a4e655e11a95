"""A machine in memory, for teaching and demonstrations."""
