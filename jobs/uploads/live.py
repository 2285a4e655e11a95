"""Who is told when the verdict on a file is there."""

from fablab.live import push
from jobs.uploads.models import Upload


def upload_changed(upload: Upload) -> None:
    """Tell the owner's pages, after the commit."""
    push.changed(f"me:{upload.owner_id}")
