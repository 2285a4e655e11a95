"""SQLite whose writers stand in line.

The database takes one writer at a time. Who finds it taken sleeps and asks again, each time after a longer while, and
whoever happens to ask first gets it: of fifty people who book at once some wait for seconds while others overtake
them. Nearly all writers of an embedded installation are threads of one process, so these wait for each other here and
go on at once. The database's own lock stands behind it, for other processes and for single statements.
"""

import threading
from collections import defaultdict
from typing import Any

from django.db.backends.sqlite3 import base
from django.db.utils import OperationalError

_lines: dict[str, threading.Lock] = defaultdict(threading.Lock)  # by database


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's own, but a transaction that will write waits for its turn before it asks the database.

    A turn ends with the transaction. A commit that fails is followed by a rollback, which ends it. (The methods of
    Django's class that begin and end transactions are not in its type stubs.)
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._my_turn: threading.Lock | None = None

    def _start_transaction_under_autocommit(self) -> None:
        if self._my_turn is None:
            line = _lines[str(self.settings_dict["NAME"])]
            if not line.acquire(timeout=self.settings_dict["OPTIONS"].get("timeout", 5)):
                raise OperationalError("database is locked")  # what SQLite says after as long a wait
            self._my_turn = line
        try:
            super()._start_transaction_under_autocommit()  # type: ignore[misc]  # see above
        except BaseException:
            self._next()
            raise

    def _commit(self) -> None:
        super()._commit()  # type: ignore[misc]  # see above
        self._next()

    def _rollback(self) -> None:
        try:
            super()._rollback()  # type: ignore[misc]  # see above
        finally:
            self._next()

    def _close(self) -> None:
        try:
            super()._close()  # type: ignore[misc]  # see above
        finally:
            self._next()

    def _next(self) -> None:
        line, self._my_turn = self._my_turn, None
        if line is not None:
            line.release()
