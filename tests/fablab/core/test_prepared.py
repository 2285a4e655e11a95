"""A prepared query gives what Django's own gives, in every shape of its values, and refuses to be misunderstood."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection, connections
from django.db.models import Q
from django.test.utils import CaptureQueriesContext

from equipment.bookings.models import Booking
from equipment.certifications.queries import valid_on
from equipment.machines.models import Machine
from fablab.core.prepared import Prepared
from tests.builders import MONDAY, hours, make_booking, make_kind, make_machine, make_model, make_site

BY_NAME = Prepared(
    lambda ids, name: Machine.objects.select_related("site", "model__kind").filter(
        Q(name=name) | Q(pk__in=ids), site__in=ids
    )
)
AROUND = Prepared(
    lambda ids, from_, to, least: Booking.objects.filter(
        machine_id__in=ids, start__gte=from_, start__lt=to, machine__plate_number__gte=least
    ).values_list("machine_id", "start", "overrides")
)


@pytest.mark.django_db
def test_rows_are_those_that_django_gives_for_any_number_of_values_and_related_rows_come_with_them() -> None:
    site, kind = make_site(), make_kind(names={"fr": "Brodeuse", "ar": "آلة تطريز"})
    machines = [make_machine(site, model=make_model(kind)) for _ in range(3)]
    booked = [make_booking(machine, start=MONDAY + hours(number)) for number, machine in enumerate(machines)]
    Booking.objects.filter(pk=booked[2].pk).update(overrides=[{"code": "too_long", "reason": "fête"}])
    ids = [machine.pk for machine in machines]

    for some in (ids, ids[:1], ids[1:], ids, []):  # lengths come again, in another order
        for later in (hours(2), hours(3)):
            rows = Booking.objects.filter(machine__in=some, start__gte=MONDAY, start__lt=MONDAY + later)
            expected = set(rows.values_list("machine_id", "start"))
            found = AROUND(some, MONDAY, MONDAY + later, 0)
            assert {row[:2] for row in found} == expected
    [last] = AROUND(ids[2:], MONDAY, MONDAY + hours(9), 0)
    assert last == (ids[2], MONDAY + hours(2), [{"code": "too_long", "reason": "fête"}])
    assert AROUND(ids, MONDAY, MONDAY + hours(9), 1) == []

    BY_NAME([site.pk], machines[1].name)
    with CaptureQueriesContext(connection) as queries:
        [found_machine] = BY_NAME([site.pk], machines[1].name)
        assert found_machine == machines[1]
        assert (found_machine.site.name, found_machine.model.kind.names) == (site.name, kind.names)
    assert len(queries) == 1


@pytest.mark.django_db
def test_a_value_that_looks_like_sql_or_like_a_mark_is_only_a_value() -> None:
    site = make_site()
    for name in ("'; DROP TABLE equipment_machine; --", "\x1amark1", "100 % %s", "é"):
        machine = make_machine(site, name=name)
        assert [one.pk for one in BY_NAME([site.pk], name)] == [machine.pk]


@pytest.mark.django_db
def test_none_is_asked_as_django_does() -> None:
    booking = make_booking(start=MONDAY)
    ended = Prepared(lambda at: Booking.objects.filter(ended_at=at).values_list("pk"))
    assert ended(None) == [(booking.pk,)]
    assert ended(MONDAY) == []


@pytest.mark.django_db
def test_a_query_that_does_more_than_compare_raises_at_its_first_call() -> None:
    part = Prepared(lambda text: Machine.objects.filter(name__contains=text))
    with pytest.raises(TypeError, match="cannot be prepared"):
        part("fil")
    flat = Prepared(lambda text: Machine.objects.filter(name=text).values_list("pk", flat=True))
    with pytest.raises(TypeError, match="models or tuples"):
        flat("fil")
    with pytest.raises(TypeError, match="a float cannot be bound"):
        Prepared(lambda size: Machine.objects.filter(nozzle_mm=size))(0.4)


@pytest.mark.django_db(transaction=True)
def test_each_thread_asks_through_its_own_connection() -> None:
    booking = make_booking(start=MONDAY)

    def ask(number: int) -> int:
        try:
            return len(AROUND([booking.machine_id], MONDAY, MONDAY + timedelta(hours=number), 0))
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(ask, [1] * 20)) == [1] * 20
    day = (MONDAY + timedelta(days=1)).date()
    valid = Prepared(lambda on: valid_on(on).values_list("pk"))
    assert valid(day) == []
