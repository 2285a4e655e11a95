"""Benchmarks: one command per figure, each beside what it is compared with. See README.md in this folder."""
