from django.apps import AppConfig


class ApiConfig(AppConfig):
    name = "fablab.api"
    label = "api"

    def ready(self) -> None:
        from fablab.api import live

        live.register()
