"""Words that the database sends to whoever listens (NOTIFY), on a connection of its own."""

import logging
import os
import select
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

import psycopg2
import sqlalchemy as sa
from psycopg2 import sql

from tsbench.store.engine import PATIENT

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection

log = logging.getLogger(__name__)
# Seconds between two questions whether the connection still lives, and between two attempts to make a new one.
HEARTBEAT, RETRY = 1.0, 0.5
# Seconds to wait for the thread.
PATIENCE = 3.0


class Listener:
    """A thread that listens on one channel until it is stopped, and connects again when the connection is lost.

    Parameters
        engine : its address is connected to. channel : what to listen on.
        on_word : called with each word. on_gap : called whenever words may have been missed: at every new connection.
            Both are called in the listener's thread.
    """

    def __init__(
        self, engine: sa.Engine, channel: str, *, on_word: Callable[[str], None], on_gap: Callable[[], None]
    ) -> None:
        self._engine, self._channel = engine, channel
        self._on_word, self._on_gap = on_word, on_gap
        self.connected = threading.Event()
        self._stopping = threading.Event()
        self._wake, self._woken = os.pipe()
        self._thread = threading.Thread(target=self._run, name=f"listener {channel}", daemon=True)

    def start(self) -> None:
        """Begin to listen."""
        self._thread.start()

    def stop(self) -> None:
        """Stop listening and wait a moment for the end of the thread; one that a silent server holds ends with us."""
        self._stopping.set()
        os.write(self._woken, b".")
        self._thread.join(PATIENCE)
        if not self._thread.is_alive():
            os.close(self._wake)
            os.close(self._woken)

    def _run(self) -> None:
        told = False
        while not self._stopping.is_set():
            try:
                connection = self._connect()
            except psycopg2.Error as error:
                if not told:
                    log.warning("cannot listen for new versions, trying again: %s", type(error).__name__)
                told = True
                self._stopping.wait(RETRY)
                continue
            told = False
            self.connected.set()
            self._on_gap()
            try:
                self._listen(connection)
            except Exception as error:  # whatever it is, who listens must go on listening
                log.warning("the connection that listens for new versions was lost: %s", type(error).__name__)
            finally:
                self.connected.clear()
                with suppress(psycopg2.Error):
                    connection.close()

    def _connect(self) -> "Connection":
        words, named = self._engine.dialect.create_connect_args(self._engine.url)
        connection: Connection = psycopg2.connect(*words, **{**PATIENT, **named})
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(sql.SQL("LISTEN {}").format(sql.Identifier(self._channel)))
        return connection

    def _listen(self, connection: "Connection") -> None:
        # poll, not select, which ends at descriptor 1023
        ready = select.poll()
        for descriptor in (connection.fileno(), self._wake):
            ready.register(descriptor, select.POLLIN)
        while True:
            found = [descriptor for descriptor, _ in ready.poll(1_000 * HEARTBEAT)]
            if self._stopping.is_set():
                return
            if connection.fileno() in found:
                connection.poll()
            else:
                with connection.cursor() as cursor:
                    cursor.execute("SELECT 1")
            # those read while the heartbeat was answered are here too
            while connection.notifies:
                self._on_word(connection.notifies.pop(0).payload)
