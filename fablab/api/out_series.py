"""Answers about series, for the schema."""

from rest_framework import serializers as s

from equipment.bookings.conflicts import Fate
from fablab.api.out import BookingOut, NamedOut, Out, maybe, one_of

WALL = r"^\d\d:\d\d$"


class SeriesOut(Out):
    id = s.CharField()
    site = s.CharField()
    person = NamedOut()
    title = s.CharField(help_text="Empty: for the person alone.")
    machines = NamedOut(many=True)
    weekdays = s.ListField(child=s.IntegerField(), help_text="Monday is 0.")
    starts = s.RegexField(WALL, help_text="On the site's clock.")
    ends = s.RegexField(WALL, help_text="On the site's clock; 26:00 is two in the morning of the next day.")
    first = s.DateField()
    last = s.DateField()
    every = s.IntegerField(help_text="Every so many weeks.")


class SeriesWithBookingsOut(SeriesOut):
    bookings = BookingOut(many=True)


class LineProblemOut(Out):
    code = s.CharField()
    detail = s.CharField(help_text="A sentence in the caller's language.")
    params = s.DictField()


class InTheWayOut(Out):
    id = s.CharField()
    person = NamedOut()
    start = s.DateTimeField()
    end = s.DateTimeField()


class OccurrenceOut(Out):
    """One date on one machine."""

    day = s.DateField()
    machine = NamedOut()
    start = maybe(s.DateTimeField, help_text="Null: the clocks jump over it.")
    end = maybe(s.DateTimeField)
    fate = one_of(Fate, help_text="As the choices have it.")
    problems = LineProblemOut(many=True)
    in_the_way = InTheWayOut(many=True)


class PlanOut(Out):
    occurrences = OccurrenceOut(many=True)


class SeriesDoneOut(PlanOut):
    series = SeriesOut()
    bookings = BookingOut(many=True, help_text="Those that were made or moved.")
    cancelled = s.ListField(child=s.CharField(), help_text="Bookings that made way; their people were told.")


class SeriesChangedOut(PlanOut):
    series = SeriesOut(allow_null=True, help_text="Null: only looked at.")
    bookings = BookingOut(many=True)
    cancelled = s.ListField(child=s.CharField())


class SeriesEndedOut(Out):
    series = SeriesOut()
    cancelled = s.ListField(child=s.CharField())
