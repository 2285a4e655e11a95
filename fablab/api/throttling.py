"""How often one person may ask. Programs that run wild are slowed, people never notice."""

from django.conf import settings
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.throttling import SimpleRateThrottle
from rest_framework.views import APIView


class PerPerson(SimpleRateThrottle):
    """Reads and writes of a person are counted apart; who is not signed in is counted by address."""

    rate = "1/m"  # the real one is read at each request, from settings.API_PER_MINUTE

    def allow_request(self, request: Request, view: APIView) -> bool:
        self.num_requests, self.duration = settings.API_PER_MINUTE[_class_of(request)], 60
        return super().allow_request(request, view)

    def get_cache_key(self, request: Request, view: APIView) -> str:
        who = request.user.pk if request.user.is_authenticated else self.get_ident(request)
        return f"api-{_class_of(request)}-{who}"


def _class_of(request: Request) -> str:
    if not request.user.is_authenticated:
        return "anonymous"
    return "reads" if request.method in SAFE_METHODS else "writes"
