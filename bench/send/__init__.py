"""A large file to OctoPrint, beside curl. ``python -m bench.send --help``"""
