"""Usage: python -m tests.samples OUT: writes every sample and manifest.json into the folder OUT."""

import json
import sys
from pathlib import Path

from .corpus import corpus


def write(out: Path) -> None:
    """One file a sample, and `manifest.json`: a row a sample, with the machine model of its verdict."""
    rows = []
    for sample in corpus():
        path = out / sample.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(sample.data)
        rows.append(sample.row())
    (out / "manifest.json").write_text(json.dumps(rows, indent=1, ensure_ascii=False) + "\n")
    accepted = sum(row["expect"] == "accept" for row in rows)
    print(f"{len(rows)} files, {accepted} to accept, {len(rows) - accepted} to refuse")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    write(Path(sys.argv[1]))
