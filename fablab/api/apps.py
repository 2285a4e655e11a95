from django.apps import AppConfig


class ApiConfig(AppConfig):
    name = "fablab.api"
    label = "api"
