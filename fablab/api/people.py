"""Who I am, and the tokens of my programs."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.utils.translation import get_language
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from equipment.certifications.queries import certificates_of
from equipment.machines.queries import localized
from equipment.sites.queries import is_on_site, roles_by_site, visible_sites
from fablab.api import out
from fablab.api.fields import Choice, Moment, Strict, Text
from fablab.api.paging import Cursors
from fablab.api.shapes import stamp
from fablab.api.views import Endpoint, body_of
from fablab.people.queries import tokens_of
from fablab.people.services import make_token, revoke_token, sign_in
from jobs.erasure.services import erase_myself

Shape = Mapping[str, Any]


def kind_shape(kind: Any) -> Shape:
    """Return a machine kind with its name in the caller's language."""
    return {
        "id": kind.pk,
        "slug": kind.slug,
        "name": localized(kind.names, get_language() or "fr"),
        "icon": kind.icon,
    }


class Me(Endpoint):
    @extend_schema(operation_id="me", responses=out.MeOut)
    def get(self, request: Request) -> Response:
        person = self.person
        roles = roles_by_site(person)
        return Response(
            {
                "id": person.pk,
                "username": person.username,
                "display_name": person.display_name,
                "language": person.language,
                "level": person.level,
                "roles": [
                    {
                        "site": {"id": site.pk, "name": site.name},
                        "roles": sorted(roles[site.pk]),
                        "present": is_on_site(person, site.pk, self.at),
                    }
                    for site in visible_sites(person)
                ],
                "certificates": [
                    {
                        "id": certificate.pk,
                        "kind": kind_shape(certificate.kind),
                        "site": {"id": certificate.site_id, "name": certificate.site.name},
                        "until": certificate.until,
                        "may_send_machine_files": certificate.may_send_machine_files,
                    }
                    for certificate in certificates_of(person)
                ],
                "quotas": {"upload_bytes": settings.UPLOAD_LIMIT_BYTES},
            }
        )


class EraseIn(Strict):
    password = Text(max_length=1000, trim_whitespace=False)


class EraseMe(Endpoint):
    """The person erases themself, for good; the password is the fresh proof that a token is not."""

    counts_once = False  # nobody is left to be answered again

    @extend_schema(operation_id="me_erase", request=EraseIn, responses={204: None})
    def post(self, request: Request) -> Response:
        given = body_of(request, EraseIn)
        erase_myself(password=given["password"], actor=self.person, at=self.at)
        return Response(status=204)


class TokenIn(Strict):
    username = Text(max_length=60)
    password = Text(max_length=1000, trim_whitespace=False)
    name = Text(max_length=80, required=False, allow_blank=True)
    scope = Choice(["all", "read"], required=False)
    expires = Moment(required=False, allow_null=True)


class MakeToken(Endpoint):
    """A program's way in. The answer is the same, and takes as long, for a known and an unknown name."""

    authentication_classes = ()
    permission_classes = ()
    counts_once = False  # a kept answer would keep the token

    @extend_schema(operation_id="token_make", request=TokenIn, responses={201: out.TokenMadeOut})
    def post(self, request: Request) -> Response:
        given = body_of(request, TokenIn)
        person = sign_in(username=given["username"], password=given["password"], at=self.at)
        row, token = make_token(
            person=person,
            name=given.get("name", ""),
            scope=given.get("scope", "all"),
            expires_at=given.get("expires"),
            at=self.at,
        )
        return Response({"id": row.pk, "token": token}, status=201)


class Tokens(Endpoint):
    in_pages = True

    @extend_schema(operation_id="token_list", responses=out.page_of(out.TokenOut))
    def get(self, request: Request) -> Response:
        pages = Cursors("-created_at", "pk")
        rows = pages.page_of(tokens_of(self.person), request, self)
        return pages.answer(
            [
                {
                    "id": row.pk,
                    "name": row.name,
                    "scope": row.scope,
                    "created_at": stamp(row.created_at),
                    "expires_at": stamp(row.expires_at),
                    "last_used_at": stamp(row.last_used_at),
                }
                for row in rows
            ]
        )


class TokenDetail(Endpoint):
    @extend_schema(operation_id="token_revoke", responses={204: None})
    def delete(self, request: Request, token_id: str) -> Response:
        revoke_token(token_id, actor=self.person, at=self.at)
        return Response(status=204)
