import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import equipment.bookings.states
import fablab.core.ids
from equipment.bookings.guard import GuardedAlter


class Migration(migrations.Migration):
    dependencies = [
        ("equipment", "0006_calendars"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="BookingTerms",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("buffer_minutes", models.PositiveSmallIntegerField(blank=True, null=True)),
                ("notice_minutes", models.PositiveSmallIntegerField(blank=True, null=True)),
                ("horizon_days", models.PositiveSmallIntegerField(blank=True, null=True)),
                ("min_minutes", models.PositiveSmallIntegerField(blank=True, null=True)),
                ("max_minutes", models.PositiveSmallIntegerField(blank=True, null=True)),
                ("grid_minutes", models.PositiveSmallIntegerField(blank=True, null=True)),
                ("weekly_minutes", models.PositiveIntegerField(blank=True, null=True)),
                ("open_bookings", models.PositiveSmallIntegerField(blank=True, null=True)),
            ],
        ),
        migrations.CreateModel(
            name="OpenUse",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("day", models.DateField()),
                ("count", models.PositiveIntegerField(default=0)),
            ],
        ),
        migrations.CreateModel(
            name="Series",
            fields=[
                (
                    "id",
                    models.CharField(
                        default=fablab.core.ids.new_id,
                        editable=False,
                        max_length=14,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("title", models.CharField(blank=True, max_length=80)),
                ("weekdays", models.JSONField(default=list)),
                ("starts", models.PositiveSmallIntegerField()),
                ("ends", models.PositiveSmallIntegerField()),
                ("first_day", models.DateField()),
                ("last_day", models.DateField()),
                ("every", models.PositiveSmallIntegerField(default=1)),
                ("created_at", models.DateTimeField()),
            ],
            options={
                "verbose_name": "série",
                "verbose_name_plural": "séries",
                "ordering": ["first_day", "starts"],
            },
        ),
        migrations.CreateModel(
            name="Shift",
            fields=[
                (
                    "id",
                    models.CharField(
                        default=fablab.core.ids.new_id,
                        editable=False,
                        max_length=14,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("weekday", models.PositiveSmallIntegerField()),
                ("starts", models.PositiveSmallIntegerField()),
                ("ends", models.PositiveSmallIntegerField()),
                ("first_day", models.DateField()),
                ("last_day", models.DateField(blank=True, null=True)),
            ],
            options={
                "verbose_name": "service",
                "verbose_name_plural": "services",
                "ordering": ["weekday", "starts"],
            },
        ),
        migrations.CreateModel(
            name="ShiftChange",
            fields=[
                (
                    "id",
                    models.CharField(
                        default=fablab.core.ids.new_id,
                        editable=False,
                        max_length=14,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("day", models.DateField()),
                ("away", models.BooleanField(default=True)),
                ("starts", models.PositiveSmallIntegerField(blank=True, null=True)),
                ("ends", models.PositiveSmallIntegerField(blank=True, null=True)),
            ],
            options={
                "verbose_name": "changement de service",
                "verbose_name_plural": "changements de service",
                "ordering": ["day", "starts"],
            },
        ),
        migrations.CreateModel(
            name="WaitingEntry",
            fields=[
                (
                    "id",
                    models.CharField(
                        default=fablab.core.ids.new_id,
                        editable=False,
                        max_length=14,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("from_time", models.DateTimeField()),
                ("to_time", models.DateTimeField()),
                ("minutes", models.PositiveSmallIntegerField()),
                ("created_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                ("outcome", models.CharField(blank=True, max_length=10)),
            ],
            options={
                "verbose_name": "attente",
                "verbose_name_plural": "liste d’attente",
                "ordering": ["created_at", "pk"],
            },
        ),
        GuardedAlter(
            migrations.RemoveIndex(
                model_name="booking",
                name="booking_live_span",
            ),
        ),
        GuardedAlter(
            migrations.AddField(
                model_name="booking",
                name="excused_at",
                field=models.DateTimeField(blank=True, null=True),
            ),
        ),
        GuardedAlter(
            migrations.AddField(
                model_name="booking",
                name="hold_until",
                field=models.DateTimeField(blank=True, null=True),
            ),
        ),
        GuardedAlter(
            migrations.AddField(
                model_name="booking",
                name="title",
                field=models.CharField(blank=True, db_default="", default="", max_length=80),
            ),
        ),
        migrations.AddField(
            model_name="machinekind",
            name="open_bookings",
            field=models.PositiveSmallIntegerField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="machinekind",
            name="weekly_minutes",
            field=models.PositiveIntegerField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="site",
            name="grace_minutes",
            field=models.PositiveSmallIntegerField(default=10),
        ),
        migrations.AddField(
            model_name="site",
            name="hold_minutes",
            field=models.PositiveSmallIntegerField(default=30),
        ),
        migrations.AddField(
            model_name="site",
            name="no_shows_before_pause",
            field=models.PositiveSmallIntegerField(default=3),
        ),
        GuardedAlter(
            migrations.AlterField(
                model_name="booking",
                name="state",
                field=models.CharField(
                    choices=[
                        ("held", "held"),
                        ("confirmed", "confirmed"),
                        ("in_use", "in_use"),
                        ("done", "done"),
                        ("cancelled", "cancelled"),
                        ("no_show", "no_show"),
                    ],
                    default=equipment.bookings.states.BookingState["CONFIRMED"],
                    max_length=10,
                ),
            ),
        ),
        migrations.AddConstraint(
            model_name="site",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("no_shows_before_pause", 0), ("no_shows_before_pause__gte", 3), _connector="OR"
                ),
                name="no_pause_below_three_no_shows",
            ),
        ),
        migrations.AddField(
            model_name="bookingterms",
            name="kind",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="booking_terms",
                to="equipment.machinekind",
            ),
        ),
        migrations.AddField(
            model_name="bookingterms",
            name="machine",
            field=models.OneToOneField(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="booking_terms",
                to="equipment.machine",
            ),
        ),
        migrations.AddField(
            model_name="bookingterms",
            name="site",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="booking_terms", to="equipment.site"
            ),
        ),
        migrations.AddField(
            model_name="openuse",
            name="kind",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="open_uses",
                to="equipment.machinekind",
            ),
        ),
        migrations.AddField(
            model_name="openuse",
            name="site",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="open_uses", to="equipment.site"
            ),
        ),
        migrations.AddField(
            model_name="series",
            name="created_by",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="series",
            name="machines",
            field=models.ManyToManyField(related_name="series", to="equipment.machine"),
        ),
        migrations.AddField(
            model_name="series",
            name="person",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="series",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="series",
            name="site",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="series", to="equipment.site"
            ),
        ),
        GuardedAlter(
            migrations.AddField(
                model_name="booking",
                name="series",
                field=models.ForeignKey(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.SET_NULL,
                    related_name="bookings",
                    to="equipment.series",
                ),
            ),
        ),
        GuardedAlter(
            migrations.AddIndex(
                model_name="booking",
                index=models.Index(
                    condition=models.Q(
                        (
                            "state__in",
                            [
                                equipment.bookings.states.BookingState["CONFIRMED"],
                                equipment.bookings.states.BookingState["HELD"],
                                equipment.bookings.states.BookingState["IN_USE"],
                            ],
                        )
                    ),
                    fields=["machine", "held_end", "held_start"],
                    name="booking_live_span",
                ),
            ),
        ),
        GuardedAlter(
            migrations.AddIndex(
                model_name="booking",
                index=models.Index(
                    condition=models.Q(("state", equipment.bookings.states.BookingState["HELD"])),
                    fields=["hold_until"],
                    name="booking_held_until",
                ),
            ),
        ),
        GuardedAlter(
            migrations.AddIndex(
                model_name="booking",
                index=models.Index(
                    condition=models.Q(("state", equipment.bookings.states.BookingState["CONFIRMED"])),
                    fields=["start"],
                    name="booking_to_begin",
                ),
            ),
        ),
        migrations.AddField(
            model_name="shift",
            name="person",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="shifts",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="shift",
            name="site",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="shifts", to="equipment.site"
            ),
        ),
        migrations.AddField(
            model_name="shiftchange",
            name="person",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="shift_changes",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="shiftchange",
            name="site",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="shift_changes", to="equipment.site"
            ),
        ),
        migrations.AddField(
            model_name="waitingentry",
            name="booking",
            field=models.OneToOneField(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="waited_for",
                to="equipment.booking",
            ),
        ),
        migrations.AddField(
            model_name="waitingentry",
            name="kind",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="waiting",
                to="equipment.machinekind",
            ),
        ),
        migrations.AddField(
            model_name="waitingentry",
            name="machine",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="waiting",
                to="equipment.machine",
            ),
        ),
        migrations.AddField(
            model_name="waitingentry",
            name="person",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="waiting",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="waitingentry",
            name="site",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="waiting", to="equipment.site"
            ),
        ),
        migrations.AddConstraint(
            model_name="bookingterms",
            constraint=models.UniqueConstraint(
                condition=models.Q(("machine__isnull", True)),
                fields=("site", "kind"),
                name="terms_once_per_site_and_kind",
            ),
        ),
        migrations.AddConstraint(
            model_name="openuse",
            constraint=models.UniqueConstraint(fields=("site", "kind", "day"), name="open_use_once_a_day"),
        ),
        migrations.AddIndex(
            model_name="series",
            index=models.Index(fields=["site", "last_day"], name="series_to_come"),
        ),
        migrations.AddIndex(
            model_name="shift",
            index=models.Index(fields=["site", "weekday"], name="shifts_of_site"),
        ),
        migrations.AddConstraint(
            model_name="shift",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("ends__lte", 2880),
                    ("starts__lt", 1440),
                    ("weekday__lte", 6),
                    ("ends__gt", models.F("starts")),
                ),
                name="shift_makes_sense",
            ),
        ),
        migrations.AddConstraint(
            model_name="shift",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("last_day__isnull", True), ("last_day__gte", models.F("first_day")), _connector="OR"
                ),
                name="shift_ends_after_it_begins",
            ),
        ),
        migrations.AddIndex(
            model_name="shiftchange",
            index=models.Index(fields=["site", "day"], name="shift_changes_of_site"),
        ),
        migrations.AddConstraint(
            model_name="shiftchange",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("away", True), ("ends__isnull", True), ("starts__isnull", True)),
                    models.Q(("ends__lte", 2880), ("starts__lt", 1440), ("ends__gt", models.F("starts"))),
                    _connector="OR",
                ),
                name="shift_change_makes_sense",
            ),
        ),
        migrations.AddIndex(
            model_name="waitingentry",
            index=models.Index(
                condition=models.Q(("ended_at__isnull", True)),
                fields=["site", "kind", "created_at"],
                name="waiting_in_order",
            ),
        ),
        migrations.AddIndex(
            model_name="waitingentry",
            index=models.Index(fields=["person", "created_at"], name="waiting_by_person"),
        ),
        migrations.AddConstraint(
            model_name="waitingentry",
            constraint=models.CheckConstraint(
                condition=models.Q(("to_time__gt", models.F("from_time"))),
                name="waiting_ends_after_it_begins",
            ),
        ),
    ]
