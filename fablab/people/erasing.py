"""What this room does when a person leaves for good; ``jobs.erasure`` calls it among the other rooms' steps."""

from datetime import datetime

from django.contrib.admin.models import LogEntry
from django.contrib.auth.hashers import make_password
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.models import Session

from fablab.live import push
from fablab.people.models import SignInAttempt, User
from fablab.people.states import AgeBand

NAMELESS = "erased-"  # what stands for a name that must be somebody's alone


def shut_out(person: User, *, at: datetime) -> None:
    """End every way in: sign-ins, tokens, rights in the installation. Part of the caller's transaction."""
    User.objects.filter(pk=person.pk).update(
        is_active=False,
        is_staff=False,
        is_superuser=False,
        password=make_password(None),
        erased_at=at,
        erasure_ended_at=None,
    )
    forget_rights(person)
    push.recheck(person.pk)


def forget_rights(person: User) -> None:
    """Remove tokens and rights in the installation; a request that was under way may have made one more."""
    person.groups.clear()
    person.user_permissions.clear()
    person.tokens.all().delete()


def forget_name(person: User) -> None:
    """Remove names and what else describes the person, here and in the admin's log."""
    for name in {person.username, person.username.lower()}:
        SignInAttempt.objects.filter(username=name).delete()
    User.objects.filter(pk=person.pk).update(
        username=f"{NAMELESS}{person.pk}",
        display_name="",
        age_band=AgeBand.UNKNOWN,
        language="fr",
        last_login=None,
    )
    of_people = ContentType.objects.get_for_model(User)
    LogEntry.objects.filter(content_type=of_people, object_id=person.pk).update(object_repr="")


def forget_sessions(person: User) -> None:
    """Remove what is kept for the person's browsers; each row must be opened to see whose it is."""
    for session in Session.objects.iterator():
        if session.get_decoded().get("_auth_user_id") == person.pk:
            session.delete()


def end(person: User, *, at: datetime) -> None:
    """Note that nothing is left to remove."""
    User.objects.filter(pk=person.pk, erased_at__isnull=False).update(erasure_ended_at=at)
