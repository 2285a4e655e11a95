import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("equipment", "0002_initial"),
        ("jobs", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="approval",
            name="by",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="approval",
            name="machine_model",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="equipment.machinemodel"
            ),
        ),
        migrations.AddField(
            model_name="attempt",
            name="machine",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="attempts", to="equipment.machine"
            ),
        ),
        migrations.AddField(
            model_name="attemptjob",
            name="attempt",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="parts", to="jobs.attempt"
            ),
        ),
        migrations.AddField(
            model_name="job",
            name="booking",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="jobs",
                to="equipment.booking",
            ),
        ),
        migrations.AddField(
            model_name="job",
            name="machine",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="wished_by",
                to="equipment.machine",
            ),
        ),
        migrations.AddField(
            model_name="job",
            name="machine_model",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="jobs", to="equipment.machinemodel"
            ),
        ),
        migrations.AddField(
            model_name="job",
            name="owner",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="jobs", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="job",
            name="site",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="jobs", to="equipment.site"
            ),
        ),
        migrations.AddField(
            model_name="attemptjob",
            name="job",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="parts", to="jobs.job"
            ),
        ),
        migrations.AddField(
            model_name="attempt",
            name="jobs",
            field=models.ManyToManyField(related_name="attempts", through="jobs.AttemptJob", to="jobs.job"),
        ),
        migrations.AddField(
            model_name="approval",
            name="job",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="approvals", to="jobs.job"
            ),
        ),
        migrations.AddField(
            model_name="jobevent",
            name="actor",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="jobevent",
            name="job",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="events", to="jobs.job"
            ),
        ),
        migrations.AddField(
            model_name="order",
            name="actor",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="order",
            name="attempt",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="orders", to="jobs.attempt"
            ),
        ),
        migrations.AddField(
            model_name="preparation",
            name="machine_model",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="equipment.machinemodel"
            ),
        ),
        migrations.AddField(
            model_name="job",
            name="preparation",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="jobs",
                to="jobs.preparation",
            ),
        ),
        migrations.AddField(
            model_name="upload",
            name="owner",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="uploads",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="preparation",
            name="result",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to="jobs.upload"
            ),
        ),
        migrations.AddField(
            model_name="preparation",
            name="source",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="preparations", to="jobs.upload"
            ),
        ),
        migrations.AddField(
            model_name="job",
            name="machine_file",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="jobs.upload"
            ),
        ),
        migrations.AddField(
            model_name="job",
            name="upload",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="jobs", to="jobs.upload"
            ),
        ),
        migrations.AddField(
            model_name="attempt",
            name="machine_file",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="jobs.upload"
            ),
        ),
        migrations.AddConstraint(
            model_name="attemptjob",
            constraint=models.UniqueConstraint(fields=("attempt", "job"), name="job_once_per_attempt"),
        ),
        migrations.AddConstraint(
            model_name="attemptjob",
            constraint=models.UniqueConstraint(
                condition=models.Q(("live", True)), fields=("job",), name="one_live_attempt_per_job"
            ),
        ),
        migrations.AddConstraint(
            model_name="approval",
            constraint=models.UniqueConstraint(
                condition=models.Q(("voided_at__isnull", True)), fields=("job",), name="one_valid_approval"
            ),
        ),
        migrations.AddConstraint(
            model_name="jobevent",
            constraint=models.UniqueConstraint(fields=("job", "version"), name="job_event_once"),
        ),
        migrations.AddIndex(
            model_name="order",
            index=models.Index(
                condition=models.Q(("state", "waiting")), fields=["created_at"], name="order_waiting"
            ),
        ),
        migrations.AddConstraint(
            model_name="order",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state__in", ["waiting", "taken"])),
                fields=("attempt", "verb"),
                name="one_open_order_per_verb",
            ),
        ),
        migrations.AddIndex(
            model_name="upload",
            index=models.Index(
                condition=models.Q(("state", "inspecting")), fields=["created_at"], name="upload_to_inspect"
            ),
        ),
        migrations.AddIndex(
            model_name="upload",
            index=models.Index(fields=["owner", "created_at"], name="upload_by_owner"),
        ),
        migrations.AddIndex(
            model_name="preparation",
            index=models.Index(
                condition=models.Q(("state", "running")), fields=["created_at"], name="preparation_to_do"
            ),
        ),
        migrations.AddConstraint(
            model_name="preparation",
            constraint=models.UniqueConstraint(fields=("source", "digest"), name="prepared_once"),
        ),
        migrations.AddIndex(
            model_name="job",
            index=models.Index(fields=["site", "state", "queued_at"], name="job_queue"),
        ),
        migrations.AddIndex(
            model_name="job",
            index=models.Index(fields=["owner", "created_at"], name="job_by_owner"),
        ),
        migrations.AddConstraint(
            model_name="job",
            constraint=models.UniqueConstraint(fields=("site", "number"), name="job_number_once_per_site"),
        ),
        migrations.AddIndex(
            model_name="attempt",
            index=models.Index(fields=["machine", "ended_at"], name="attempt_by_machine"),
        ),
        migrations.AddConstraint(
            model_name="attempt",
            constraint=models.UniqueConstraint(
                condition=models.Q(("ended_at__isnull", True)),
                fields=("machine",),
                name="one_live_attempt_per_machine",
            ),
        ),
    ]
