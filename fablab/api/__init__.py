"""The REST API: one error format, strict fields, cursors, keys that count once, and a schema that is true.

Views stand here by subject, not in the rooms, because their answers combine rooms (``shapes``) and because rooms may
not look up at the API's own furniture. A view reads the request, makes one call into a room and writes the answer.
"""
