import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import fablab.core.ids
from equipment.bookings.guard import GuardedAlter


class Migration(migrations.Migration):
    dependencies = [
        ("equipment", "0005_help_requests"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        GuardedAlter(
            migrations.AddField(
                model_name="booking",
                name="version",
                field=models.PositiveIntegerField(db_default=0, default=0),
            )
        ),
        GuardedAlter(
            migrations.AddField(
                model_name="booking",
                name="changed_at",
                field=models.DateTimeField(null=True),
            )
        ),
        GuardedAlter(
            migrations.AddIndex(
                model_name="booking",
                index=models.Index(fields=["machine", "end"], name="booking_calendar"),
            )
        ),
        migrations.CreateModel(
            name="CalendarFeed",
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
                ("created_at", models.DateTimeField()),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="calendar_feeds",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "machine",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="calendar_feeds",
                        to="equipment.machine",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("person", "machine"), name="one_feed_each_of_a_machine"),
                    models.UniqueConstraint(
                        condition=models.Q(("machine", None)),
                        fields=("person",),
                        name="one_feed_of_a_person",
                    ),
                ],
            },
        ),
    ]
