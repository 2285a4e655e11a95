from django.apps import AppConfig


class CoreConfig(AppConfig):
    name = "fablab.core"
    label = "core"

    def ready(self) -> None:
        from fablab.core import checks  # noqa: F401  importing registers them
