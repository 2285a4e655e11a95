"""What each state looks like, in one table; its words come from the rooms."""

# Icon and tone per state (UX-14: shape, word, colour).
# The alarm tones "come" and "alarm" mean "someone must come", nothing else does.
Look = tuple[str, str]
LOOKS: dict[str, dict[str, Look]] = {
    "machine": {
        "free": ("check-circle", "good"),
        "busy": ("running", "work"),
        "busy_elsewhere": ("foreign", "work"),
        "needs_clearing": ("tray", "come"),
        "needs_help": ("hand", "alarm"),
        "out_of_order": ("wrench", "off"),
        "unreachable": ("unplugged", "unsure"),
        "closed": ("door", "off"),
    },
    "job": {
        "checking": ("search", "wait"),
        "draft": ("upload", "wait"),
        "needs_changes": ("pencil", "fix"),
        "submitted": ("eye", "wait"),
        "rejected": ("cross-octagon", "fix"),
        "queued": ("clock", "wait"),
        "plate_to_clear": ("tray", "wait"),
        "sending": ("starting", "work"),
        "loaded": ("printer", "work"),
        "running": ("running", "work"),
        "paused": ("paused", "come"),
        "stopping": ("stopping", "work"),
        "unsure": ("unplugged", "unsure"),
        "finished": ("box", "good"),
        "ready": ("shelf", "good"),
        "failed": ("broken", "fix"),
        "cancelled": ("cancelled", "off"),
        "collected": ("check-circle", "off"),
    },
    "booking": {
        "confirmed": ("calendar", "good"),
        "in_use": ("running", "work"),
        "done": ("check-circle", "off"),
        "cancelled": ("cancelled", "off"),
        "no_show": ("undo", "off"),
        "waiting": ("clock", "wait"),
        "held": ("bell", "come"),
    },
    "finding": {"blocks": ("cross-octagon", "fix"), "ask": ("eye", "wait"), "info": ("info", "work")},
    "message": {
        "debug": ("info", "off"),
        "info": ("info", "work"),
        "success": ("check-circle", "good"),
        "warning": ("alert", "wait"),
        "error": ("alert", "alarm"),
    },
    "step": {"done": ("check", ""), "now": ("forward", ""), "next": ("clock", ""), "wrong": ("cross", "")},
}
UNKNOWN_LOOK: Look = ("info", "off")
