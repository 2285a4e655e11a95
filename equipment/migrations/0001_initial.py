from django.db import migrations, models

import equipment.sites.models
import fablab.core.ids


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Booking",
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
                ("code", models.CharField(default=fablab.core.ids.new_code, max_length=6)),
                ("start", models.DateTimeField()),
                ("end", models.DateTimeField()),
                ("held_start", models.DateTimeField()),
                ("held_end", models.DateTimeField()),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("confirmed", "confirmed"),
                            ("in_use", "in_use"),
                            ("done", "done"),
                            ("cancelled", "cancelled"),
                            ("no_show", "no_show"),
                        ],
                        default="confirmed",
                        max_length=10,
                    ),
                ),
                ("overrides", models.JSONField(default=list)),
                ("created_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(null=True)),
            ],
            options={
                "verbose_name": "réservation",
                "verbose_name_plural": "réservations",
                "ordering": ["start"],
            },
        ),
        migrations.CreateModel(
            name="Certificate",
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
                ("may_send_machine_files", models.BooleanField(default=False)),
                ("granted_at", models.DateTimeField()),
                ("until", models.DateField(blank=True, null=True)),
                ("revoked_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "verbose_name": "habilitation",
                "verbose_name_plural": "habilitations",
            },
        ),
        migrations.CreateModel(
            name="Closure",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("first_day", models.DateField()),
                ("last_day", models.DateField()),
                ("reason", models.CharField(blank=True, max_length=120)),
            ],
            options={
                "verbose_name": "fermeture",
                "verbose_name_plural": "fermetures",
                "ordering": ["first_day"],
            },
        ),
        migrations.CreateModel(
            name="Machine",
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
                ("name", models.CharField(max_length=60)),
                ("retired_at", models.DateTimeField(blank=True, null=True)),
                (
                    "driver",
                    models.CharField(
                        choices=[("none", "none"), ("octoprint", "octoprint")],
                        default="none",
                        max_length=12,
                    ),
                ),
                ("address", models.CharField(blank=True, max_length=200)),
                ("sealed_key", models.TextField(blank=True, editable=False)),
                ("sealed_key_request", models.TextField(blank=True, editable=False)),
                ("connection_number", models.PositiveIntegerField(default=1)),
                (
                    "plate",
                    models.CharField(
                        choices=[("clear", "clear"), ("to_clear", "to_clear")],
                        default="to_clear",
                        max_length=10,
                    ),
                ),
                ("plate_token", models.CharField(blank=True, max_length=14)),
                ("plate_cleared_at", models.DateTimeField(blank=True, null=True)),
                ("out_of_order_since", models.DateTimeField(blank=True, null=True)),
                ("out_of_order_reason", models.CharField(blank=True, max_length=200)),
                (
                    "report",
                    models.CharField(
                        choices=[
                            ("ready", "ready"),
                            ("starting", "starting"),
                            ("printing", "printing"),
                            ("pausing", "pausing"),
                            ("paused", "paused"),
                            ("resuming", "resuming"),
                            ("cancelling", "cancelling"),
                            ("finishing", "finishing"),
                            ("disconnected", "disconnected"),
                            ("error", "error"),
                            ("unknown", "unknown"),
                            ("silent", "silent"),
                            ("never", "never"),
                        ],
                        default="never",
                        max_length=14,
                    ),
                ),
                ("report_path", models.CharField(blank=True, max_length=255)),
                ("report_foreign", models.BooleanField(default=False)),
                ("report_error", models.CharField(blank=True, max_length=300)),
                ("report_since", models.DateTimeField(blank=True, null=True)),
                ("seen_at", models.DateTimeField(blank=True, null=True)),
                ("lease_owner", models.CharField(blank=True, max_length=40)),
                ("lease_number", models.PositiveIntegerField(default=0)),
                ("lease_until", models.DateTimeField(blank=True, null=True)),
                ("version", models.PositiveBigIntegerField(default=0)),
            ],
            options={
                "verbose_name": "machine",
                "verbose_name_plural": "machines",
                "ordering": ["name"],
            },
        ),
        migrations.CreateModel(
            name="MachineEvent",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("action", models.CharField(max_length=30)),
                ("source", models.CharField(max_length=12)),
                ("at", models.DateTimeField()),
                ("details", models.JSONField(default=dict)),
            ],
            options={
                "ordering": ["at", "id"],
            },
        ),
        migrations.CreateModel(
            name="MachineKind",
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
                ("slug", models.SlugField(unique=True)),
                ("names", models.JSONField()),
                ("icon", models.CharField(default="machine", max_length=30)),
                ("takes_files", models.BooleanField(default=True)),
                ("needs_plate", models.BooleanField(default=True)),
                ("remote_start", models.BooleanField(default=True)),
                ("needs_certificate", models.BooleanField(default=True)),
                ("buffer_minutes", models.PositiveSmallIntegerField(default=0)),
                ("notice_minutes", models.PositiveSmallIntegerField(default=0)),
                ("horizon_days", models.PositiveSmallIntegerField(default=14)),
                ("min_minutes", models.PositiveSmallIntegerField(default=30)),
                ("max_minutes", models.PositiveSmallIntegerField(default=120)),
                ("grid_minutes", models.PositiveSmallIntegerField(default=30)),
            ],
            options={
                "verbose_name": "type de machine",
                "verbose_name_plural": "types de machine",
                "ordering": ["slug"],
            },
        ),
        migrations.CreateModel(
            name="MachineModel",
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
                ("name", models.CharField(max_length=80)),
                ("limits", models.JSONField(default=dict)),
                ("formats", models.JSONField(default=list)),
                ("prepares", models.JSONField(default=list)),
                ("materials", models.JSONField(default=list)),
                ("qualities", models.JSONField(default=list)),
            ],
            options={
                "verbose_name": "modèle",
                "verbose_name_plural": "modèles",
                "ordering": ["name"],
            },
        ),
        migrations.CreateModel(
            name="OpeningHours",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("weekday", models.PositiveSmallIntegerField()),
                ("opens", models.PositiveSmallIntegerField()),
                ("closes", models.PositiveSmallIntegerField()),
            ],
            options={
                "verbose_name": "horaire",
                "verbose_name_plural": "horaires",
                "ordering": ["weekday", "opens"],
            },
        ),
        migrations.CreateModel(
            name="Outage",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("start", models.DateTimeField()),
                ("end", models.DateTimeField(blank=True, null=True)),
                ("reason", models.CharField(blank=True, max_length=200)),
            ],
        ),
        migrations.CreateModel(
            name="Presence",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("since", models.DateTimeField()),
                ("until", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="Site",
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
                ("slug", models.SlugField(unique=True)),
                ("name", models.CharField(max_length=80)),
                ("address", models.CharField(blank=True, max_length=200)),
                ("time_zone", models.CharField(default="Europe/Paris", max_length=40)),
                ("shelves", models.JSONField(default=equipment.sites.models.default_shelves)),
                ("self_approval", models.BooleanField(default=False)),
            ],
            options={
                "verbose_name": "lieu",
                "verbose_name_plural": "lieux",
                "ordering": ["name"],
            },
        ),
        migrations.CreateModel(
            name="SiteRole",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "role",
                    models.CharField(
                        choices=[
                            ("member", "member"),
                            ("instructor", "instructor"),
                            ("staff", "staff"),
                            ("manager", "manager"),
                        ],
                        max_length=12,
                    ),
                ),
            ],
            options={
                "verbose_name": "rôle",
                "verbose_name_plural": "rôles",
            },
        ),
    ]
