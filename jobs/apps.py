from django.apps import AppConfig


class JobsConfig(AppConfig):
    name = "jobs"

    def ready(self) -> None:
        from fablab.core.words import register
        from jobs.erasure import words as erasure
        from jobs.lifecycle import words as lifecycle
        from jobs.lifecycle.services import stagger
        from jobs.planning import words as planning
        from jobs.recovery import words as recovery
        from jobs.recovery.queries import start_gap
        from jobs.supervision import words as supervision
        from jobs.uploads import words as uploads
        from jobs.worklist import words as worklist

        for room in (uploads, lifecycle, planning, recovery, supervision, worklist, erasure):
            register(room.SENTENCES)
        stagger(start_gap)
