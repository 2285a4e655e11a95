"""The extruded lines of a machine file, gathered while it is read, thinned by whole layers to keep memory flat."""

from array import array
from collections.abc import Iterator

SEGMENT = 5  # floats a segment: x0 y0 x1 y1 z


class Toolpath:
    """Extruded segments by layer, in millimetres.

    When more than `most` segments have come in, every second layer is forgotten and `stride` doubles; the layer
    being written is always kept, so the top of the object is always there.
    """

    def __init__(self, most: int = 120_000) -> None:
        self.most = most
        self.stride = 1
        self._layers: list[array[float]] = []
        self._open: array[float] = array("f")
        self._z = float("-inf")
        self._seen = 0
        self._kept = 0

    def add(self, x0: float, y0: float, x1: float, y1: float, z: float) -> None:
        if z != self._z:
            self._close()
            self._z = z
        if len(self._open) < self.most * SEGMENT:
            self._open.extend((x0, y0, x1, y1, z))

    def _close(self) -> None:
        if not self._open:
            return
        if self._seen % self.stride == 0:
            self._layers.append(self._open)
            self._kept += len(self._open) // SEGMENT
        self._seen += 1
        self._open = array("f")
        while self._kept > self.most and len(self._layers) > 1:
            self._layers = self._layers[::2]
            self.stride *= 2
            self._kept = sum(len(one) for one in self._layers) // SEGMENT

    @property
    def segments(self) -> int:
        return self._kept + len(self._open) // SEGMENT

    def pieces(self) -> Iterator["array[float]"]:
        """The layers kept, bottom to top, each a flat array of `SEGMENT` floats a segment."""
        yield from self._layers
        if self._open:
            yield self._open
