from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("equipment", "0008_needs_instructor"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="outage",
            name="expected_end",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="outage",
            name="photo",
            field=models.CharField(blank=True, db_default="", default="", max_length=40),
        ),
        migrations.AddConstraint(
            model_name="outage",
            constraint=models.CheckConstraint(
                condition=models.Q(("end__isnull", True), ("end__gte", models.F("start")), _connector="OR"),
                name="outage_ends_after_it_begins",
            ),
        ),
    ]
