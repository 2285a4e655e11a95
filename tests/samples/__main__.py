"""Usage: python -m tests.samples OUT: writes every sample and manifest.json into the folder OUT."""

import json
import sys
from pathlib import Path

from .corpus import PRINTER, corpus


def write(out: Path) -> None:
    """One file a sample, `manifest.json` (a row a sample) and `limits.json` (the machine model of the verdicts)."""
    rows = []
    for sample in corpus():
        path = out / sample.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(sample.data)
        rows.append(sample.row())
    (out / "manifest.json").write_text(json.dumps(rows, indent=1, ensure_ascii=False) + "\n")
    (out / "limits.json").write_text(json.dumps(PRINTER.as_json(), indent=1) + "\n")
    accepted = sum(row["expect"] == "accept" for row in rows)
    print(f"{len(rows)} files, {accepted} to accept, {len(rows) - accepted} to refuse")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    write(Path(sys.argv[1]))
