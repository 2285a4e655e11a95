from django.apps import AppConfig


class ApiConfig(AppConfig):
    name = "fablab.api"
    label = "api"

    def ready(self) -> None:
        from fablab.api import live, schema, words  # noqa: F401  the schema's extensions register themselves
        from fablab.core.words import register

        register(words.SENTENCES)
        live.register()
