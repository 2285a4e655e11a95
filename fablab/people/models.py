"""People and the tokens their programs use."""

from typing import TYPE_CHECKING, Any, ClassVar, cast

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.core.validators import RegexValidator
from django.db import models
from django.db.models.query_utils import DeferredAttribute
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from fablab.core.ids import new_id
from fablab.people.states import AgeBand, Level

if TYPE_CHECKING:  # Django's own class takes no parameter when it runs
    _Text = models.CharField[str, str]
else:
    _Text = models.CharField


class UserManager(BaseUserManager["User"]):
    def create_user(self, username: str, password: str | None = None, **fields: Any) -> "User":
        person = self.model(username=username.strip().lower(), **fields)
        person.set_password(password)
        person.save(using=self._db)
        return person

    def create_superuser(self, username: str, password: str | None = None, **fields: Any) -> "User":
        return self.create_user(username, password, is_staff=True, is_superuser=True, **fields)


class _Name(DeferredAttribute):
    """Who was erased reads as such in the reader's language, wherever a history names them."""

    def __get__(self, instance: models.Model | None, cls: Any = None) -> Any:
        kept = super().__get__(instance, cls)
        if isinstance(instance, User) and not kept and instance.erased_at is not None:
            return gettext("Personne effacée")
        return kept

    def __set__(self, instance: models.Model, value: Any) -> None:
        instance.__dict__[self.field.attname] = value


class NameField(_Text):
    """A text of which the database keeps only what the person gave."""

    descriptor_class = _Name

    def pre_save(self, model_instance: models.Model, add: bool) -> str:
        return cast(str, model_instance.__dict__[self.attname])


class User(AbstractBaseUser, PermissionsMixin):
    """A person. No birth date, no address, no e-mail that anything depends on (PRIV-2, UX-9)."""

    id = models.CharField(primary_key=True, max_length=14, default=new_id, editable=False)
    username = models.CharField(
        max_length=60, unique=True, validators=[RegexValidator(r"^[a-z0-9._-]+$")]
    )  # what is typed at sign-in
    display_name = NameField(max_length=60)  # a first name or a pseudonym; blank in the row of who was erased
    level = models.CharField(
        max_length=10, choices=[(level.value, level.value) for level in Level], default=Level.ACCOUNT
    )
    age_band = models.CharField(
        max_length=10, choices=[(band.value, band.value) for band in AgeBand], default=AgeBand.UNKNOWN
    )
    language = models.CharField(max_length=2, default="fr")
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=False)  # Django's word: may enter the installation's admin
    created_at = models.DateTimeField(default=timezone.now)
    # The row stays, without a name: hours and tries still count, and no history loses its place (PRIV-7).
    erased_at = models.DateTimeField(null=True, editable=False)
    erasure_ended_at = models.DateTimeField(
        null=True, editable=False
    )  # until then something is left to remove

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "username"
    REQUIRED_FIELDS = ["display_name"]

    class Meta:
        verbose_name = _("personne")
        verbose_name_plural = _("personnes")
        indexes = [
            models.Index(
                fields=["erased_at"],
                condition=models.Q(erased_at__isnull=False, erasure_ended_at__isnull=True),
                name="erasures_to_end",
            )
        ]  # the worker's look

    def __str__(self) -> str:
        return self.display_name


class AccessToken(models.Model):
    """A program's way in: the token itself is shown once, its SHA-256 is kept."""

    id = models.CharField(primary_key=True, max_length=14, default=new_id, editable=False)
    person = models.ForeignKey(User, on_delete=models.CASCADE, related_name="tokens")
    name = models.CharField(max_length=80, blank=True)
    digest = models.CharField(max_length=64, unique=True)
    scope = models.CharField(max_length=10, choices=[("all", "all"), ("read", "read")], default="all")
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True)
    last_used_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.name or self.id


class SignInAttempt(models.Model):
    """Wrong passwords in a row for one name: the wait grows, for that name only, never for an address (SEC-15)."""

    username = models.CharField(primary_key=True, max_length=60)
    failures = models.PositiveIntegerField(default=0)
    locked_until = models.DateTimeField(null=True)
    tried_at = models.DateTimeField()  # forgotten a day later

    def __str__(self) -> str:
        return self.username
