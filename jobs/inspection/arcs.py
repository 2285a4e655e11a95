"""Arcs of a machine file as points: where their centre is, and the outermost places they touch."""

import math

ARC_STEP = math.pi / 12

Place = tuple[float, float, float]  # x, y, z in millimetres


def centre_of(start: Place, end: Place, radius: float, clockwise: bool) -> tuple[float, float] | None:
    """The centre of an arc given by its radius (negative: the long way round); None when no circle fits."""
    dx, dy = end[0] - start[0], end[1] - start[1]
    chord = math.hypot(dx, dy)
    if chord == 0 or abs(radius) < chord / 2 - 1e-3:
        return None
    height = math.sqrt(max(radius * radius - chord * chord / 4, 0.0))
    side = -1.0 if clockwise != (radius < 0) else 1.0
    return (
        (start[0] + end[0]) / 2 - side * height * dy / chord,
        (start[1] + end[1]) / 2 + side * height * dx / chord,
    )


def along(
    start: Place,
    end: Place,
    centre: tuple[float, float],
    clockwise: bool,
) -> list[Place]:
    """Points of the arc: steps of 15 degrees, each quarter turn's outermost point, and the end."""
    radius = math.dist(start[:2], centre)
    first = math.atan2(start[1] - centre[1], start[0] - centre[0])
    last = math.atan2(end[1] - centre[1], end[0] - centre[0])
    turn = math.tau if start[:2] == end[:2] else (first - last if clockwise else last - first) % math.tau
    turn = turn or math.tau
    steps = max(1, math.ceil(turn / ARC_STEP))
    parts = {turn * step / steps for step in range(1, steps)}
    for quarter in range(4):
        angle = quarter * math.pi / 2
        part = (first - angle if clockwise else angle - first) % math.tau
        if part < turn:
            parts.add(part)
    points = []
    for part in sorted(parts):
        angle = first - part if clockwise else first + part
        points.append(
            (
                centre[0] + radius * math.cos(angle),
                centre[1] + radius * math.sin(angle),
                start[2] + (end[2] - start[2]) * part / turn,
            )
        )
    return [*points, end]
