import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import fablab.core.ids


class Migration(migrations.Migration):
    dependencies = [
        ("equipment", "0003_machines_under_control"),
        ("jobs", "0002_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="AttemptSample",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("at", models.DateTimeField()),
                ("percent", models.FloatField(null=True)),
                ("seconds_left", models.PositiveIntegerField(null=True)),
                ("heat", models.JSONField(default=dict)),
                (
                    "attempt",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="samples", to="jobs.attempt"
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["attempt", "at"], name="attempt_plot")],
            },
        ),
        migrations.CreateModel(
            name="Handling",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("key", models.CharField(max_length=80)),
                ("since", models.DateTimeField()),
                ("until", models.DateTimeField()),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "site",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="handlings",
                        to="equipment.site",
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("site", "key"), name="one_person_per_entry")],
            },
        ),
        migrations.CreateModel(
            name="Interruption",
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
                ("began_at", models.DateTimeField()),
                ("noticed_at", models.DateTimeField()),
                ("settled_at", models.DateTimeField(blank=True, null=True)),
                (
                    "settled_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "site",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="interruptions",
                        to="equipment.site",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("settled_at__isnull", True)),
                        fields=("site",),
                        name="one_open_interruption_per_site",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Still",
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
                ("asked_at", models.DateTimeField()),
                ("taken_at", models.DateTimeField(null=True)),
                ("file", models.CharField(blank=True, max_length=100)),
                ("error", models.CharField(blank=True, max_length=40)),
                (
                    "asked_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "attempt",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="stills", to="jobs.attempt"
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["asked_at"], name="stills_to_purge")],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("error", ""), ("taken_at__isnull", True)),
                        fields=("attempt",),
                        name="one_still_asked_at_once",
                    )
                ],
            },
        ),
    ]
