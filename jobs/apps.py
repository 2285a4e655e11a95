from django.apps import AppConfig


class JobsConfig(AppConfig):
    name = "jobs"

    def ready(self) -> None:
        from fablab.core import words
        from jobs.lifecycle import words as lifecycle
        from jobs.uploads import words as uploads

        words.register(lifecycle.SENTENCES)
        words.register(uploads.SENTENCES)
