from django.apps import AppConfig


class PeopleConfig(AppConfig):
    name = "fablab.people"
    label = "people"
