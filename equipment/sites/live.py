"""Topics of a place."""

from fablab.live import push


def board_topic(site_id: str) -> str:
    return f"board:{site_id}"


def board_changed(site_id: str) -> None:
    """Tell the boards and desks of a site to look again."""
    push.changed(board_topic(site_id))
