from django.apps import AppConfig


class LiveConfig(AppConfig):
    name = "fablab.live"
    label = "live"
