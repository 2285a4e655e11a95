"""Roles that a person may hold at a site; one person may hold several, and different ones elsewhere."""

from enum import StrEnum


class Role(StrEnum):
    MEMBER = "member"
    INSTRUCTOR = "instructor"
    STAFF = "staff"
    MANAGER = "manager"


ON_DUTY_ROLES = frozenset({Role.INSTRUCTOR, Role.STAFF, Role.MANAGER})  # may say "Je suis là"
STAFF_ROLES = frozenset({Role.STAFF, Role.MANAGER})  # a manager can do what staff can
