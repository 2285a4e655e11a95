from collections.abc import Collection
from typing import Any

from django.apps import AppConfig


class PeopleConfig(AppConfig):
    name = "fablab.people"
    label = "people"

    def ready(self) -> None:
        from django.utils import timezone

        from fablab.core import words
        from fablab.live.signin import register_token_reader
        from fablab.people.queries import person_for_token, tokens_alive
        from fablab.people.words import SENTENCES

        def reader(token: str) -> Any:
            return person_for_token(token, timezone.now())

        def alive(tokens: Collection[str]) -> Collection[str]:
            return tokens_alive(tokens, timezone.now())

        words.register(SENTENCES)
        register_token_reader(reader, alive)
