"""Questions that are asked of the database all day long: their SQL is worked out once, then only values are bound.

Django works out a query's SQL anew each time, which takes it ten times longer than the database needs for a short
answer. Here that is done once for each thread and each *shape* of the values (their types, and how many a list has),
with marks in the values' places; what stands where a mark stood is bound at each call. The query is written as ever:

    _ROLES = Prepared(lambda person_id, site_id: SiteRole.objects.filter(person_id=person_id, site_id=site_id))
    rows = _ROLES(person.pk, site_id)

For queries that only compare with their values. One that does something else with them (a part of a text, a day out of
a time) loses its mark, and raises at its first call.
"""

import re
import threading
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, Generic, TypeVar

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import QuerySet
from django.db.models.query import ModelIterable, ValuesListIterable, get_related_populators

R = TypeVar("R")
WORD = re.compile(r"[a-z_]+")
MOST_SHAPES = 100  # of one query in one thread: lists come in many lengths


class Prepared(Generic[R]):
    """``build`` makes the query out of its values; calling this with values returns all its rows.

    Values are texts, whole numbers, days, times, and lists of those, in any order but always in the same; the rows are
    models, with ``select_related`` or without, or ``values_list`` of plain fields. None and an empty list give a query
    another form, and it is asked as Django does.
    """

    def __init__(self, build: Callable[..., "QuerySet[Any, R]"]) -> None:
        self._build = build
        self._mine = threading.local()

    def __call__(self, *values: Any) -> list[R]:
        shape = tuple([len(value) if isinstance(value, list) else value.__class__ for value in values])
        if 0 in shape or type(None) in shape:
            return list(self._build(*values))
        return self._worked_out(shape, values).rows(values)

    def _worked_out(self, shape: tuple[Any, ...], values: Sequence[Any]) -> "_WorkedOut":
        connection = connections[DEFAULT_DB_ALIAS]
        if getattr(self._mine, "connection", None) is not connection:
            self._mine.connection, self._mine.by_shape = connection, {}
        known: dict[tuple[Any, ...], _WorkedOut] = self._mine.by_shape
        found = known.get(shape)
        if found is None:
            if len(known) >= MOST_SHAPES:
                known.clear()
            found = known[shape] = _WorkedOut(self._build, values, connection)
        return found


class _WorkedOut:
    """One query in one shape on one connection."""

    def __init__(
        self, build: Callable[..., "QuerySet[Any]"], values: Sequence[Any], connection: BaseDatabaseWrapper
    ) -> None:
        self._connection = connection
        marks = _marks(values)
        queryset = build(*marks)
        self._compiler = queryset.query.get_compiler(connection=connection)
        self._sql, parameters = self._compiler.as_sql()
        flat = list(_flat(marks))
        places = {self._bound(mark): number for number, mark in enumerate(flat)}
        missing = set(range(len(flat))) - {places.get(one) for one in parameters}
        self._sql, self._plan = _with_words(self._sql, [(places.get(one), one) for one in parameters])
        columns = [column[0] for column in self._compiler.select]
        if missing or self._compiler.has_extra_select or self._compiler.has_composite_fields(columns):
            raise TypeError(f"this query cannot be prepared, it does more than compare: {self._sql}")
        self._converters = self._compiler.get_converters(columns)
        self._models = issubclass(queryset._iterable_class, ModelIterable)
        if self._models:
            info = self._compiler.klass_info
            fields = info["select_fields"]
            self._model = info["model"]
            self._columns = slice(fields[0], fields[-1] + 1)
            self._names = [column[0].target.attname for column in self._compiler.select[self._columns]]
            self._related = get_related_populators(  # type: ignore[call-arg]  # the stubs are a version ahead
                info, self._compiler.select, queryset.db
            )
        elif queryset._iterable_class is not ValuesListIterable:
            raise TypeError("models or tuples can be had of a prepared query")

    def rows(self, values: Sequence[Any]) -> list[Any]:
        given = [self._bound(value) for value in _flat(values)]
        parameters = [fixed if number is None else given[number] for number, fixed in self._plan]
        with self._cursor() as cursor:
            cursor.execute(self._sql, parameters)
            found = cursor.fetchall()
        rows = self._compiler.apply_converters(found, self._converters)
        return [self._made(row) for row in rows] if self._models else [tuple(row) for row in rows]

    def _cursor(self) -> Any:
        cursor = self._connection.cursor()
        if self._connection.vendor == "postgresql":
            # Django's own puts the values into the text; a server that gets them apart plans the text only once.
            from django.db.backends.postgresql.base import ServerBindingCursor

            cursor.cursor = ServerBindingCursor(  # type: ignore[call-arg]  # the stubs miss what it inherits
                self._connection.connection
            )
        return cursor

    def _made(self, row: Sequence[Any]) -> Any:
        made = self._model.from_db(DEFAULT_DB_ALIAS, self._names, row[self._columns])
        for related in self._related:
            related.populate(row, made)
        return made

    def _bound(self, value: Any) -> Any:
        """Return a value as the database takes it."""
        if isinstance(value, datetime):
            return self._connection.ops.adapt_datetimefield_value(value)
        if isinstance(value, date):
            return self._connection.ops.adapt_datefield_value(value)
        return value


def _with_words(sql: str, plan: list[tuple[int | None, Any]]) -> tuple[str, list[tuple[int | None, Any]]]:
    """Put fixed values that are plain words ("confirmed") into the text.

    Only there do databases see, when they plan, that a query asks for no more than a partial index holds.
    """
    pieces = sql.split("%s")
    if "%%" in sql or len(pieces) != len(plan) + 1:
        return sql, plan
    text, left = pieces[0], []
    for (number, value), piece in zip(plan, pieces[1:], strict=True):
        word = number is None and isinstance(value, str) and WORD.fullmatch(value)
        text += (f"'{value}'" if word else "%s") + piece
        left += [] if word else [(number, value)]
    return text, left


def _flat(values: Iterable[Any]) -> Iterable[Any]:
    for value in values:
        if isinstance(value, list):
            yield from value
        else:
            yield value


def _marks(values: Sequence[Any]) -> list[Any]:
    """Return values of the same types that stand for the given ones, each different from every other."""
    count = 0

    def mark(value: Any) -> Any:
        nonlocal count
        count += 1
        if isinstance(value, datetime):
            return datetime(1971, 1, 1, tzinfo=UTC) + timedelta(seconds=count)
        if isinstance(value, date):
            return date(1971, 1, 1) + timedelta(days=count)
        if isinstance(value, bool) or not isinstance(value, int | str):
            raise TypeError(f"a {type(value).__name__} cannot be bound")
        return f"\x1amark{count}" if isinstance(value, str) else 30_000 + count

    return [[mark(one) for one in value] if isinstance(value, list) else mark(value) for value in values]
