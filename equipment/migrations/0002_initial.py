import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from equipment.bookings.guard import RaiseGuard


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("equipment", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="booking",
            name="created_by",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="booking",
            name="person",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="bookings",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="certificate",
            name="granted_by",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="certificate",
            name="person",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="certificates",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="machine",
            name="plate_cleared_by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="booking",
            name="machine",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="bookings", to="equipment.machine"
            ),
        ),
        migrations.AddField(
            model_name="machineevent",
            name="actor",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="machineevent",
            name="machine",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="events", to="equipment.machine"
            ),
        ),
        migrations.AddField(
            model_name="certificate",
            name="kind",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="certificates",
                to="equipment.machinekind",
            ),
        ),
        migrations.AddField(
            model_name="machinemodel",
            name="kind",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="machine_models",
                to="equipment.machinekind",
            ),
        ),
        migrations.AddField(
            model_name="machine",
            name="model",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="machines",
                to="equipment.machinemodel",
            ),
        ),
        migrations.AddField(
            model_name="outage",
            name="created_by",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="outage",
            name="machine",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="outages", to="equipment.machine"
            ),
        ),
        migrations.AddField(
            model_name="presence",
            name="person",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="presences",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="presence",
            name="site",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="presences", to="equipment.site"
            ),
        ),
        migrations.AddField(
            model_name="openinghours",
            name="site",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="opening_hours", to="equipment.site"
            ),
        ),
        migrations.AddField(
            model_name="machine",
            name="site",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="machines", to="equipment.site"
            ),
        ),
        migrations.AddField(
            model_name="closure",
            name="site",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="closures", to="equipment.site"
            ),
        ),
        migrations.AddField(
            model_name="certificate",
            name="site",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="certificates", to="equipment.site"
            ),
        ),
        migrations.AddField(
            model_name="siterole",
            name="person",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="site_roles",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="siterole",
            name="site",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="roles", to="equipment.site"
            ),
        ),
        migrations.AddIndex(
            model_name="booking",
            index=models.Index(
                condition=models.Q(("state__in", ["confirmed", "in_use"])),
                fields=["machine", "held_end", "held_start"],
                name="booking_live_span",
            ),
        ),
        migrations.AddIndex(
            model_name="booking",
            index=models.Index(fields=["person", "start"], name="booking_by_person"),
        ),
        migrations.AddConstraint(
            model_name="booking",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("end__gt", models.F("start")),
                    ("held_start__lte", models.F("start")),
                    ("held_end__gte", models.F("end")),
                ),
                name="booking_ends_after_it_begins",
            ),
        ),
        migrations.AddIndex(
            model_name="machineevent",
            index=models.Index(fields=["machine", "at"], name="machine_log"),
        ),
        migrations.AddIndex(
            model_name="outage",
            index=models.Index(fields=["machine", "start"], name="outage_by_machine"),
        ),
        migrations.AddIndex(
            model_name="presence",
            index=models.Index(fields=["site", "until"], name="presence_now"),
        ),
        migrations.AddConstraint(
            model_name="openinghours",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("closes__lte", 2880),
                    ("opens__lt", 1440),
                    ("weekday__lte", 6),
                    ("closes__gt", models.F("opens")),
                ),
                name="opening_hours_make_sense",
            ),
        ),
        migrations.AddIndex(
            model_name="machine",
            index=models.Index(fields=["site", "retired_at"], name="machine_by_site"),
        ),
        migrations.AddConstraint(
            model_name="machine",
            constraint=models.UniqueConstraint(
                condition=models.Q(("retired_at__isnull", True)),
                fields=("site", "name"),
                name="machine_name_once_per_site",
            ),
        ),
        migrations.AddConstraint(
            model_name="closure",
            constraint=models.CheckConstraint(
                condition=models.Q(("last_day__gte", models.F("first_day"))),
                name="closure_ends_after_it_begins",
            ),
        ),
        migrations.AddConstraint(
            model_name="certificate",
            constraint=models.UniqueConstraint(
                condition=models.Q(("revoked_at__isnull", True)),
                fields=("person", "kind", "site"),
                name="one_valid_certificate",
            ),
        ),
        migrations.AddIndex(
            model_name="siterole",
            index=models.Index(fields=["site", "role"], name="role_by_site"),
        ),
        migrations.AddConstraint(
            model_name="siterole",
            constraint=models.UniqueConstraint(fields=("person", "site", "role"), name="role_once"),
        ),
        RaiseGuard(),
    ]
