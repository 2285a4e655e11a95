"""Sample files that checks are tried on, made in memory, the same bytes every time.

`corpus()` gives all of them; `python -m tests.samples OUT` writes them with a manifest.json for the eye or a browser.
"""

from .corpus import PRINTER, Sample, corpus, find

__all__ = ["PRINTER", "Sample", "corpus", "find"]
