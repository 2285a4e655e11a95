from django.apps import AppConfig


class NoticesConfig(AppConfig):
    name = "fablab.notices"
    label = "notices"
