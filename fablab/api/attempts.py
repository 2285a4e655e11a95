"""Physical tries: how far and how warm, over time."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from fablab.api import out
from fablab.api.shapes import attempt_shape, stamp
from fablab.api.views import Endpoint
from jobs.lifecycle import samples


class Samples(Endpoint):
    """The moments of a try's plot, for who sees one of its jobs."""

    @extend_schema(operation_id="attempt_samples", responses=out.SamplesOut)
    def get(self, request: Request, attempt_id: str) -> Response:
        seen = samples.attempt_for(self.person, attempt_id)
        return Response(
            {
                "attempt": attempt_shape(seen.parts[0]),
                "samples": [
                    {
                        "at": stamp(one.at),
                        "percent": one.percent,
                        "seconds_left": one.seconds_left,
                        "temperatures": {
                            name: {"actual": actual, "target": target}
                            for name, (actual, target) in one.heat.items()
                        },
                    }
                    for one in samples.samples_of(attempt_id)
                ],
            }
        )
