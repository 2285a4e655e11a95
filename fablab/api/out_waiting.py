"""What the waiting list answers, for the schema."""

from rest_framework import serializers as s

from equipment.bookings.offering import LEFT, OVER, SERVED
from fablab.api.out import NamedOut, Out, one_of


class OfferOut(Out):
    booking = s.CharField()
    machine = NamedOut()
    start = s.DateTimeField()
    end = s.DateTimeField()
    until = s.DateTimeField(help_text="Answer before.")


WaitingOut: type[Out] = type(
    "WaitingOut",
    (Out,),
    {
        "id": s.CharField(),
        "site": s.CharField(),
        "kind": s.CharField(),
        "machine": NamedOut(allow_null=True),
        "from": s.DateTimeField(),
        "to": s.DateTimeField(),
        "minutes": s.IntegerField(),
        "ended": one_of([SERVED, LEFT, OVER], allow_null=True),
        "offer": OfferOut(allow_null=True),
    },
)


class WaitingListOut(Out):
    results = WaitingOut(many=True)
