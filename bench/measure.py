"""What every benchmark needs: child processes that end with it, processor time, percentiles, a file of results."""

import ctypes
import json
import os
import platform
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, Self

PROJECT = Path(__file__).resolve().parents[1]
RESULTS = PROJECT / "bench" / "results"
PR_SET_PDEATHSIG = 1
TICKS = os.sysconf("SC_CLK_TCK")


def end_with_parent() -> None:
    """For ``preexec_fn``: the kernel ends the child when the benchmark is gone, however it went."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Child:
    """A process that says one JSON line when it is ready, and one for each command it is given."""

    def __init__(
        self, arguments: Sequence[str], *, env: dict[str, str] | None = None, log: Path | None = None
    ) -> None:
        self._log: IO[bytes] | int = log.open("wb") if log else subprocess.DEVNULL
        self.process = subprocess.Popen(
            [sys.executable, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
            cwd=PROJECT,
            env={**os.environ, **(env or {})},
            preexec_fn=end_with_parent,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(15)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(15)
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                pipe.close()
        if not isinstance(self._log, int):
            self._log.close()

    def line(self) -> str:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.process.args!r} ended with {self.process.wait(15)}")
        return line

    def hear(self) -> Any:
        return json.loads(self.line())

    def say(self, **command: Any) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(command) + "\n")
        self.process.stdin.flush()

    def cpu_seconds(self) -> float:
        """Return the processor time of the process and of its children that have ended."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return sum(int(value) for value in fields[11:15]) / TICKS

    def resident_mb(self) -> float:
        fields = Path(f"/proc/{self.process.pid}/statm").read_text().split()
        return int(fields[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def answering(port: int, seconds: float = 30) -> None:
    """Wait until a server on this machine takes connections.

    :raises TimeoutError: when it does not.
    """
    deadline = time.monotonic() + seconds
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except ConnectionRefusedError:
            if time.monotonic() > deadline:
                raise TimeoutError(f"nothing answers on port {port}") from None
            time.sleep(0.05)
        else:
            return


def percentile(values: Sequence[float], share: float) -> float | None:
    """Return the value that ``share`` of all values do not exceed; None without values."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else None


def milliseconds(values: Sequence[float]) -> dict[str, float | int | None]:
    """Return what a table shows of many durations in seconds."""
    shown = {name: percentile(values, share) for name, share in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99))}
    return {
        **{name: None if value is None else round(value * 1000, 2) for name, value in shown.items()},
        "max": round(max(values) * 1000, 2) if values else None,
        "count": len(values),
    }


def circumstances() -> dict[str, Any]:
    """Return what a figure depends on besides the code."""
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.machine(),
    )
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=PROJECT, capture_output=True, text=True, check=False
    ).stdout.strip()
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": commit,
        "python": platform.python_version(),
        "processor": model,
        "cores": os.cpu_count(),
        "load_before": [round(value, 2) for value in os.getloadavg()],
    }


def keep(name: str, result: dict[str, Any]) -> Path:
    """Write a result as JSON and return where."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    path = RESULTS / f"{name}-{time.strftime('%Y%m%d-%H%M%S', time.gmtime())}.json"
    path.write_text(json.dumps(result, indent=1) + "\n")
    return path
