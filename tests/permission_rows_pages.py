"""The pages' rows of the permission matrix. Who is not signed in is led to the sign-in page (302)."""

from tests.permissions import Row

ROWS: list[Row] = []
