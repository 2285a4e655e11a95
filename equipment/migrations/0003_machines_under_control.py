import django.db.models.deletion
from django.apps.registry import Apps
from django.conf import settings
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

import fablab.core.ids


def without_a_link(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """A machine without a link is one whose files people carry."""
    apps.get_model("equipment", "Machine").objects.filter(driver="none").update(driver="handover")


class Migration(migrations.Migration):
    dependencies = [
        ("equipment", "0002_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="machine",
            name="auto_start",
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name="machine",
            name="camera_address",
            field=models.CharField(blank=True, max_length=200),
        ),
        migrations.AddField(
            model_name="machine",
            name="frame",
            field=models.CharField(blank=True, max_length=40),
        ),
        migrations.AddField(
            model_name="machine",
            name="in_use_since",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="machine",
            name="maintenance_every_hours",
            field=models.PositiveSmallIntegerField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="machine",
            name="material",
            field=models.CharField(blank=True, max_length=40),
        ),
        migrations.AddField(
            model_name="machine",
            name="may_overrun",
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name="machine",
            name="needs_help_since",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="machine",
            name="needs_help_why",
            field=models.CharField(blank=True, max_length=200),
        ),
        migrations.AddField(
            model_name="machine",
            name="nozzle_mm",
            field=models.FloatField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="machinekind",
            name="guide",
            field=models.JSONField(blank=True, default=dict),
        ),
        migrations.AddField(
            model_name="site",
            name="cameras_allowed",
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name="site",
            name="start_gap_s",
            field=models.PositiveSmallIntegerField(default=0),
        ),
        migrations.AlterField(
            model_name="machine",
            name="driver",
            field=models.CharField(
                choices=[
                    ("handover", "handover"),
                    ("octoprint", "octoprint"),
                    ("folder", "folder"),
                    ("rawtcp", "rawtcp"),
                    ("simulated", "simulated"),
                ],
                default="handover",
                max_length=12,
            ),
        ),
        migrations.CreateModel(
            name="ForeignPrint",
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
                ("path", models.CharField(blank=True, max_length=255)),
                ("began_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                ("outcome", models.CharField(blank=True, max_length=14)),
                ("adopted_at", models.DateTimeField(blank=True, null=True)),
                (
                    "machine",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="foreign_prints",
                        to="equipment.machine",
                    ),
                ),
                (
                    "person",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["machine", "began_at"], name="foreign_by_machine"),
                    models.Index(fields=["person", "began_at"], name="foreign_by_person"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("ended_at__isnull", True)),
                        fields=("machine",),
                        name="one_foreign_print_per_machine",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Maintenance",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("what", models.CharField(max_length=30)),
                ("note", models.CharField(blank=True, max_length=300)),
                ("used_seconds", models.PositiveBigIntegerField()),
                ("at", models.DateTimeField()),
                (
                    "by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "machine",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="maintenance",
                        to="equipment.machine",
                    ),
                ),
            ],
            options={
                "ordering": ["-at", "-id"],
                "indexes": [models.Index(fields=["machine", "at"], name="maintenance_log")],
            },
        ),
        migrations.CreateModel(
            name="PowerCut",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("start", models.DateTimeField()),
                ("end", models.DateTimeField()),
                ("reason", models.CharField(blank=True, max_length=120)),
                (
                    "announced_by",
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
                        related_name="power_cuts",
                        to="equipment.site",
                    ),
                ),
            ],
            options={
                "verbose_name": "coupure de courant",
                "verbose_name_plural": "coupures de courant",
                "ordering": ["start"],
                "indexes": [models.Index(fields=["site", "end"], name="power_cuts_to_come")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("end__gt", models.F("start"))),
                        name="power_cut_ends_after_it_begins",
                    )
                ],
            },
        ),
        migrations.RunPython(without_a_link, migrations.RunPython.noop),
    ]
