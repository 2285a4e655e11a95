"""What watching a whole fleet of machines costs. ``python -m bench.fleet --help``"""
