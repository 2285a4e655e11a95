"""What a monitor asks about an installation. Counted from the database at each look: no process has to remember."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from django.db.models import Count
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric

from equipment.bookings.models import Booking
from equipment.machines.models import Machine
from equipment.machines.queries import watched_machines
from equipment.machines.states import Plate
from jobs.lifecycle.models import Job, Order
from jobs.lifecycle.states import UNSETTLED
from jobs.preparation.models import Preparation
from jobs.preparation.states import PreparationState
from jobs.uploads.models import Upload
from jobs.uploads.states import UploadState


def supervision_alive(at: datetime) -> bool:
    """Say whether somebody holds the lease of every linked machine: its heartbeat."""
    return not watched_machines().exclude(lease_until__gt=at).exists()


def exposition(at: datetime) -> tuple[bytes, str]:
    """Return the figures in Prometheus' own text form, and its content type."""
    registry = CollectorRegistry()
    registry.register(_Collector(at))
    return generate_latest(registry), CONTENT_TYPE_LATEST


class _Collector:
    def __init__(self, at: datetime) -> None:
        self._at = at

    def collect(self) -> Iterator[Metric]:
        in_use = Machine.objects.filter(retired_at__isnull=True)
        yield _counted(
            "fablab_jobs", "Jobs by state.", Job.objects.values_list("state").annotate(Count("pk"))
        )
        yield _counted(
            "fablab_machines", "Machines in use, by what they last said.",
            in_use.values_list("report").annotate(Count("pk")), "report",
        )  # fmt: skip
        yield _counted(
            "fablab_bookings",
            "Bookings by state.",
            Booking.objects.values_list("state").annotate(Count("pk")),
        )
        for name, what, value in (
            ("plates_to_clear", "Plates that wait for somebody.", in_use.filter(plate=Plate.TO_CLEAR).count()),
            ("machines_out_of_order", "Machines out of order.",
             in_use.filter(out_of_order_since__isnull=False).count()),
            ("uploads_waiting", "Files that wait for their inspection.",
             Upload.objects.filter(state=UploadState.INSPECTING).count()),
            ("preparations_waiting", "Machine files that wait to be made.",
             Preparation.objects.filter(state=PreparationState.RUNNING).count()),
            ("orders_open", "Orders that no machine has answered.",
             Order.objects.filter(state__in=UNSETTLED).count()),
            ("supervision_up", "1 while every linked machine is watched.", int(supervision_alive(self._at))),
        ):  # fmt: skip
            yield GaugeMetricFamily(f"fablab_{name}", what, value=value)


def _counted(name: str, what: str, rows: Iterable[tuple[Any, ...]], label: str = "state") -> Metric:
    metric = GaugeMetricFamily(name, what, labels=[label])
    for word, count in rows:
        metric.add_metric([word], count)
    return metric
