import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import fablab.core.ids


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Notice",
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
                ("key", models.CharField(max_length=80)),
                ("code", models.CharField(max_length=40)),
                ("params", models.JSONField(default=dict)),
                ("link", models.CharField(blank=True, max_length=200)),
                ("at", models.DateTimeField()),
                ("seen_at", models.DateTimeField(null=True)),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="notices",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["-at"],
                "indexes": [models.Index(fields=["person", "seen_at", "at"], name="notices_to_read")],
                "constraints": [models.UniqueConstraint(fields=("person", "key"), name="told_once")],
            },
        ),
    ]
