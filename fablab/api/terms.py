"""On what terms machines are booked: of a kind at a place, of one machine, and who set each."""

from collections.abc import Mapping
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers as s
from rest_framework.request import Request
from rest_framework.response import Response

from equipment.bookings import agreeing
from equipment.bookings.facts import terms_with_sources
from equipment.bookings.terms import MAY_BE_UNLIMITED, NAMES, RANGES, Source
from equipment.machines.queries import machine_for, visible_machines
from fablab.api.fields import Strict, Whole
from fablab.api.out import Out, maybe, one_of
from fablab.api.sites import NoQuery
from fablab.api.views import Endpoint, body_of, query_of
from fablab.core.errors import NotFound


def _said(name: str) -> Whole:
    unlimited = name in MAY_BE_UNLIMITED
    return Whole(
        least=0 if unlimited else RANGES[name][0],
        most=RANGES[name][1],
        allow_null=True,
        required=False,
        help_text="Null or absent: as the place, or the kind, says." + (" 0: no limit." if unlimited else ""),
    )


TermsIn = type("TermsIn", (Strict,), {name: _said(name) for name in NAMES})
TermsValuesOut = type(
    "TermsValuesOut",
    (Out,),
    {name: maybe(s.IntegerField) if name in MAY_BE_UNLIMITED else s.IntegerField() for name in NAMES},
)
TermsSourcesOut = type("TermsSourcesOut", (Out,), {name: one_of(Source) for name in NAMES})
TermsSaidOut = type("TermsSaidOut", (Out,), {name: maybe(s.IntegerField) for name in NAMES})


class TermsOut(Out):
    terms = TermsValuesOut(help_text="What holds. Minutes; the horizon in days. Null: without limit.")
    sources = TermsSourcesOut(help_text="Who set each.")
    said = TermsSaidOut(help_text="What is said at this level itself. Null: nothing.")


def _shape(machine: Any, level: Source) -> Mapping[str, Any]:
    said, above = agreeing.said_and_above(machine, level)
    if level is Source.MACHINE:
        terms, sources = terms_with_sources([machine])[machine.pk]
    else:
        terms, sources = agreeing.laid_over(said, above)
    return {
        "terms": {name: getattr(terms, name) for name in NAMES},
        "sources": sources,
        "said": {name: said.get(name) for name in NAMES},
    }


class MachineTerms(Endpoint):
    """Read by everybody at the machine's site; written by its staff."""

    @extend_schema(operation_id="machine_terms", responses=TermsOut)
    def get(self, request: Request, machine_id: str) -> Response:
        query_of(request, NoQuery)
        return Response(_shape(machine_for(self.person, machine_id), Source.MACHINE))

    @extend_schema(operation_id="machine_terms_set", request=TermsIn, responses=TermsOut)
    def put(self, request: Request, machine_id: str) -> Response:
        given = body_of(request, TermsIn)
        machine = machine_for(self.person, machine_id)
        agreeing.set_terms(
            site_id=machine.site_id,
            kind_id=machine.model.kind_id,
            machine_id=machine.pk,
            said=given,
            actor=self.person,
            at=self.at,
        )
        return Response(_shape(machine, Source.MACHINE))


class KindTerms(Endpoint):
    """Of a kind at a place. Read by everybody there; written by its staff."""

    @extend_schema(operation_id="site_terms", responses=TermsOut)
    def get(self, request: Request, site_id: str, kind_id: str) -> Response:
        query_of(request, NoQuery)
        return Response(_shape(self.machine(site_id, kind_id), Source.SITE))

    @extend_schema(operation_id="site_terms_set", request=TermsIn, responses=TermsOut)
    def put(self, request: Request, site_id: str, kind_id: str) -> Response:
        given = body_of(request, TermsIn)
        machine = self.machine(site_id, kind_id)
        agreeing.set_terms(
            site_id=site_id, kind_id=machine.model.kind_id, said=given, actor=self.person, at=self.at
        )
        return Response(_shape(machine, Source.SITE))

    def machine(self, site_id: str, kind_id: str) -> Any:
        found = visible_machines(self.person, site_id=site_id, kind=kind_id).first()
        if found is None:
            raise NotFound
        return found
