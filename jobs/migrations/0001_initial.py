from django.db import migrations, models

import fablab.core.ids


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Approval",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("policy", models.CharField(blank=True, max_length=30)),
                ("at", models.DateTimeField()),
                ("model_sha256", models.CharField(max_length=64)),
                ("file_sha256", models.CharField(max_length=64)),
                ("profile", models.CharField(max_length=16)),
                ("settings", models.JSONField()),
                ("report", models.JSONField()),
                ("own_job", models.BooleanField(default=False)),
                ("voided_at", models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name="Attempt",
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
                ("file_sha256", models.CharField(max_length=64)),
                ("lease_number", models.PositiveIntegerField(default=0)),
                ("remote_path", models.CharField(blank=True, max_length=255)),
                ("remote_sha1", models.CharField(blank=True, max_length=40)),
                ("remote_runs", models.PositiveIntegerField(default=0)),
                ("sent_bytes", models.PositiveBigIntegerField(default=0)),
                ("claimed_at", models.DateTimeField()),
                ("loaded_at", models.DateTimeField(null=True)),
                ("start_sent_at", models.DateTimeField(null=True)),
                ("started_at", models.DateTimeField(null=True)),
                ("ended_at", models.DateTimeField(null=True)),
                ("outcome", models.CharField(blank=True, max_length=14)),
                ("remote_deleted_at", models.DateTimeField(null=True)),
                ("unsure_since", models.DateTimeField(null=True)),
                ("unsure_why", models.CharField(blank=True, max_length=40)),
            ],
        ),
        migrations.CreateModel(
            name="AttemptJob",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("number", models.PositiveSmallIntegerField()),
                ("live", models.BooleanField(default=True)),
                ("outcome", models.CharField(blank=True, max_length=14)),
            ],
            options={
                "ordering": ["number"],
            },
        ),
        migrations.CreateModel(
            name="Job",
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
                ("number", models.PositiveIntegerField()),
                ("title", models.CharField(max_length=80)),
                ("note", models.CharField(blank=True, max_length=500)),
                ("settings", models.JSONField(default=dict)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("draft", "draft"),
                            ("needs_changes", "needs_changes"),
                            ("submitted", "submitted"),
                            ("queued", "queued"),
                            ("sending", "sending"),
                            ("loaded", "loaded"),
                            ("running", "running"),
                            ("paused", "paused"),
                            ("stopping", "stopping"),
                            ("finished", "finished"),
                            ("ready", "ready"),
                            ("failed", "failed"),
                            ("collected", "collected"),
                            ("rejected", "rejected"),
                            ("cancelled", "cancelled"),
                        ],
                        default="draft",
                        max_length=14,
                    ),
                ),
                ("state_at", models.DateTimeField()),
                ("version", models.PositiveBigIntegerField(default=1)),
                ("reason", models.CharField(blank=True, max_length=500)),
                ("waiting_for", models.JSONField(default=list)),
                ("attempts_made", models.PositiveSmallIntegerField(default=0)),
                ("priority", models.SmallIntegerField(default=0)),
                ("submitted_at", models.DateTimeField(null=True)),
                ("queued_at", models.DateTimeField(null=True)),
                ("shelf", models.CharField(blank=True, max_length=10)),
                ("percent", models.FloatField(null=True)),
                ("seconds_left", models.PositiveIntegerField(null=True)),
                ("progress_at", models.DateTimeField(null=True)),
                ("created_at", models.DateTimeField()),
            ],
            options={
                "ordering": ["-created_at"],
            },
        ),
        migrations.CreateModel(
            name="JobEvent",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("version", models.PositiveBigIntegerField()),
                ("action", models.CharField(max_length=16)),
                ("from_state", models.CharField(max_length=14)),
                ("to_state", models.CharField(max_length=14)),
                (
                    "source",
                    models.CharField(
                        choices=[
                            ("person", "person"),
                            ("machine", "machine"),
                            ("dispatcher", "dispatcher"),
                            ("policy", "policy"),
                            ("system", "system"),
                        ],
                        max_length=12,
                    ),
                ),
                ("at", models.DateTimeField()),
                ("details", models.JSONField(default=dict)),
            ],
            options={
                "ordering": ["job", "version"],
            },
        ),
        migrations.CreateModel(
            name="Order",
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
                (
                    "verb",
                    models.CharField(
                        choices=[
                            ("start", "start"),
                            ("pause", "pause"),
                            ("resume", "resume"),
                            ("stop", "stop"),
                        ],
                        max_length=8,
                    ),
                ),
                ("plate_token", models.CharField(blank=True, max_length=14)),
                ("lease_number", models.PositiveIntegerField()),
                ("created_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField()),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "waiting"),
                            ("taken", "taken"),
                            ("done", "done"),
                            ("refused", "refused"),
                            ("expired", "expired"),
                            ("unknown", "unknown"),
                        ],
                        default="waiting",
                        max_length=10,
                    ),
                ),
                ("taken_at", models.DateTimeField(null=True)),
                ("settled_at", models.DateTimeField(null=True)),
                ("outcome", models.CharField(blank=True, max_length=40)),
            ],
            options={
                "ordering": ["created_at"],
            },
        ),
        migrations.CreateModel(
            name="Preparation",
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
                ("profile", models.CharField(max_length=16)),
                ("settings", models.JSONField()),
                ("digest", models.CharField(max_length=64)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("running", "running"),
                            ("ready", "ready"),
                            ("failed", "failed"),
                            ("needs_slicing", "needs_slicing"),
                        ],
                        default="running",
                        max_length=14,
                    ),
                ),
                ("findings", models.JSONField(default=list)),
                ("tool", models.CharField(blank=True, max_length=60)),
                ("created_at", models.DateTimeField()),
                ("lease_until", models.DateTimeField(null=True)),
                ("tries", models.PositiveSmallIntegerField(default=0)),
            ],
        ),
        migrations.CreateModel(
            name="Upload",
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
                (
                    "origin",
                    models.CharField(
                        choices=[("person", "person"), ("prepared", "prepared"), ("attached", "attached")],
                        default="person",
                        max_length=10,
                    ),
                ),
                ("name", models.CharField(max_length=255)),
                ("sha256", models.CharField(max_length=64)),
                ("size", models.PositiveBigIntegerField()),
                ("format", models.CharField(blank=True, max_length=12)),
                (
                    "state",
                    models.CharField(
                        choices=[("inspecting", "inspecting"), ("ready", "ready"), ("refused", "refused")],
                        default="inspecting",
                        max_length=12,
                    ),
                ),
                ("report", models.JSONField(null=True)),
                ("has_picture", models.BooleanField(default=False)),
                ("created_at", models.DateTimeField()),
                ("lease_until", models.DateTimeField(null=True)),
                ("tries", models.PositiveSmallIntegerField(default=0)),
            ],
            options={
                "ordering": ["-created_at"],
            },
        ),
    ]
