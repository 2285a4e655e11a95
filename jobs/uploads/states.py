"""States of an upload, and where a stored file came from."""

from enum import StrEnum


class UploadState(StrEnum):
    INSPECTING = "inspecting"
    READY = "ready"
    REFUSED = "refused"


class Origin(StrEnum):
    PERSON = "person"  # handed in
    PREPARED = "prepared"  # made by us from another upload
    ATTACHED = "attached"  # a machine file that an instructor put to somebody's job
