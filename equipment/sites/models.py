"""Places, their hours on their own clock, and the people in their roles."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from equipment.sites.states import Role
from fablab.core.ids import new_id


def default_shelves() -> list[str]:
    """Shelf places of a new site: A1 to B6."""
    return [f"{row}{place}" for row in "AB" for place in range(1, 7)]


class Site(models.Model):
    """A lab. All rules about hours are local wall-clock rules in ``time_zone`` (an IANA name)."""

    id = models.CharField(primary_key=True, max_length=14, default=new_id, editable=False)
    slug = models.SlugField(unique=True)
    name = models.CharField(max_length=80)
    address = models.CharField(max_length=200, blank=True)
    time_zone = models.CharField(max_length=40, default="Europe/Paris")
    shelves = models.JSONField(default=default_shelves)  # labels of the places where finished objects wait
    # A single-instructor site may switch this on; each use is recorded (REQUIREMENTS 4.2).
    self_approval = models.BooleanField(default=False)
    start_gap_s = models.PositiveSmallIntegerField(
        default=0
    )  # between two starts, where power is weak (REL-22)
    cameras_allowed = models.BooleanField(default=False)  # the legal switch of SEC-17
    # A booked time goes back when nobody has come this long after its start; a freed time is kept this long for who
    # waits for it; this many times in a row of not coming, and a person is asked to see an instructor first (UX-11).
    grace_minutes = models.PositiveSmallIntegerField(default=10)
    hold_minutes = models.PositiveSmallIntegerField(default=30)
    no_shows_before_pause = models.PositiveSmallIntegerField(default=3)  # 0: never; never fewer than 3

    class Meta:
        verbose_name = _("lieu")
        verbose_name_plural = _("lieux")
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(no_shows_before_pause=0) | models.Q(no_shows_before_pause__gte=3),
                name="no_pause_below_three_no_shows",
            )
        ]

    def __str__(self) -> str:
        return self.name


class OpeningHours(models.Model):
    """One opening span of one weekday, in minutes of the local day. ``closes`` may pass 1440 (past midnight)."""

    site = models.ForeignKey(Site, on_delete=models.CASCADE, related_name="opening_hours")
    weekday = models.PositiveSmallIntegerField()  # Monday is 0
    opens = models.PositiveSmallIntegerField()
    closes = models.PositiveSmallIntegerField()

    class Meta:
        verbose_name = _("horaire")
        verbose_name_plural = _("horaires")
        ordering = ["weekday", "opens"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(weekday__lte=6, opens__lt=1440, closes__lte=2880)
                & models.Q(closes__gt=models.F("opens")),
                name="opening_hours_make_sense",
            )
        ]

    def __str__(self) -> str:
        return f"{self.weekday}: {self.opens}-{self.closes}"


class Closure(models.Model):
    """Local days on which the site is closed, both ends included."""

    site = models.ForeignKey(Site, on_delete=models.CASCADE, related_name="closures")
    first_day = models.DateField()
    last_day = models.DateField()
    reason = models.CharField(max_length=120, blank=True)

    class Meta:
        verbose_name = _("fermeture")
        verbose_name_plural = _("fermetures")
        ordering = ["first_day"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(last_day__gte=models.F("first_day")), name="closure_ends_after_it_begins"
            )
        ]

    def __str__(self) -> str:
        return f"{self.first_day} - {self.last_day}"


class PowerCut(models.Model):
    """An announced power cut: nothing may run then, so nothing is started that would."""

    site = models.ForeignKey(Site, on_delete=models.CASCADE, related_name="power_cuts")
    start = models.DateTimeField()
    end = models.DateTimeField()
    reason = models.CharField(max_length=120, blank=True)
    announced_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )

    class Meta:
        verbose_name = _("coupure de courant")
        verbose_name_plural = _("coupures de courant")
        ordering = ["start"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(end__gt=models.F("start")), name="power_cut_ends_after_it_begins"
            )
        ]
        indexes = [models.Index(fields=["site", "end"], name="power_cuts_to_come")]  # the plan

    def __str__(self) -> str:
        return f"{self.start} - {self.end}"


class SiteRole(models.Model):
    """A person's role at a site."""

    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="site_roles")
    site = models.ForeignKey(Site, on_delete=models.CASCADE, related_name="roles")
    role = models.CharField(max_length=12, choices=[(role.value, role.value) for role in Role])

    class Meta:
        verbose_name = _("rôle")
        verbose_name_plural = _("rôles")
        constraints = [models.UniqueConstraint(fields=["person", "site", "role"], name="role_once")]
        indexes = [models.Index(fields=["site", "role"], name="role_by_site")]  # who is instructor here?

    def __str__(self) -> str:
        return f"{self.person_id} {self.role} {self.site_id}"


class Presence(models.Model):
    """ "Je suis là" of somebody on duty. Ends by "Je pars", at sign-out, and at closing (``until``)."""

    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="presences")
    site = models.ForeignKey(Site, on_delete=models.CASCADE, related_name="presences")
    since = models.DateTimeField()
    until = models.DateTimeField()  # set to closing time at the start, moved forward by leaving earlier

    class Meta:
        indexes = [models.Index(fields=["site", "until"], name="presence_now")]  # who is here now?

    def __str__(self) -> str:
        return f"{self.person_id} {self.site_id} {self.since} - {self.until}"


class Shift(models.Model):
    """A line of the rota: somebody is on duty every week on this day, in minutes of the site's wall clock.

    ``ends`` may pass 1440 (past midnight). Holds from ``first_day`` to ``last_day``, both included, or for good.
    """

    id = models.CharField(primary_key=True, max_length=14, default=new_id, editable=False)
    site = models.ForeignKey(Site, on_delete=models.CASCADE, related_name="shifts")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="shifts")
    weekday = models.PositiveSmallIntegerField()  # Monday is 0
    starts = models.PositiveSmallIntegerField()
    ends = models.PositiveSmallIntegerField()
    first_day = models.DateField()
    last_day = models.DateField(null=True, blank=True)

    class Meta:
        verbose_name = _("service")
        verbose_name_plural = _("services")
        ordering = ["weekday", "starts"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(weekday__lte=6, starts__lt=1440, ends__lte=2880)
                & models.Q(ends__gt=models.F("starts")),
                name="shift_makes_sense",
            ),
            models.CheckConstraint(
                condition=models.Q(last_day__isnull=True) | models.Q(last_day__gte=models.F("first_day")),
                name="shift_ends_after_it_begins",
            ),
        ]
        indexes = [models.Index(fields=["site", "weekday"], name="shifts_of_site")]  # who is on duty when?

    def __str__(self) -> str:
        return f"{self.weekday}: {self.starts}-{self.ends}"


class ShiftChange(models.Model):
    """An exception to the rota on one local day: somebody is away, or comes besides. Never why (PRIV-2).

    Away without times is the whole day, and what of the evening's shift lies after midnight.
    """

    id = models.CharField(primary_key=True, max_length=14, default=new_id, editable=False)
    site = models.ForeignKey(Site, on_delete=models.CASCADE, related_name="shift_changes")
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="shift_changes"
    )
    day = models.DateField()
    away = models.BooleanField(default=True)
    starts = models.PositiveSmallIntegerField(null=True, blank=True)
    ends = models.PositiveSmallIntegerField(null=True, blank=True)

    class Meta:
        verbose_name = _("changement de service")
        verbose_name_plural = _("changements de service")
        ordering = ["day", "starts"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(away=True, starts__isnull=True, ends__isnull=True)
                | (models.Q(starts__lt=1440, ends__lte=2880) & models.Q(ends__gt=models.F("starts"))),
                name="shift_change_makes_sense",
            )
        ]
        indexes = [models.Index(fields=["site", "day"], name="shift_changes_of_site")]  # with the rota

    def __str__(self) -> str:
        return f"{self.day}: {'-' if self.away else '+'} {self.starts}-{self.ends}"
