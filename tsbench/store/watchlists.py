"""Watchlists: companies kept under a name of the user's own."""

from collections.abc import Iterable

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from tsbench import checks
from tsbench.errors import BadInput, NotFound
from tsbench.store.engine import transaction
from tsbench.store.statements import statement
from tsbench.store.tables import TEXT, metadata

watchlist = sa.Table(
    "watchlist",
    metadata,
    sa.Column("name", TEXT, primary_key=True),
    sa.Column("symbols", ARRAY(sa.Text), nullable=False),
    sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.text("clock_timestamp()")),
)


class Watchlists:
    """The watchlists of a store. A list keeps its order and each company once."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def put(self, name: str, symbols: Iterable[str]) -> list[str]:
        """Keep these companies under `name`, in place of what was there; the list as it is kept.

        Raises     BadInput: no name, or no companies. NotFound: the store has no company of a symbol.
        """
        wanted = list(dict.fromkeys([symbols] if isinstance(symbols, str) else map(str, symbols)))
        if not name.strip() or not name.isprintable() or not wanted:
            raise BadInput(f"a watchlist needs a printable name and companies, got {name!r} with {len(wanted)}")
        with transaction(self._engine) as cursor:
            cursor.execute(statement("company_symbols"), {"symbols": wanted})
            strange = sorted(set(wanted) - {symbol for (symbol,) in cursor.fetchall()})
            if strange:
                raise NotFound(f"the store has no company {', '.join(map(repr, strange[:12]))}; see Store.companies()")
            cursor.execute(statement("put_watchlist"), {"name": name.strip(), "symbols": wanted})
        return wanted

    def get(self, name: str) -> list[str]:
        """The symbols of a list. Raises NotFound."""
        with transaction(self._engine) as cursor:
            cursor.execute(statement("get_watchlist"), {"name": name})
            row = cursor.fetchone()
        if row is None:
            checks.known(name, "watchlist", self.names())
        return list(row[0]) if row else []

    def delete(self, name: str) -> None:
        """Forget a list; the companies stay. Raises NotFound."""
        with transaction(self._engine) as cursor:
            cursor.execute(statement("delete_watchlist"), {"name": name})
            gone = cursor.rowcount
        if not gone:
            checks.known(name, "watchlist", self.names())

    def names(self) -> list[str]:
        """The names of all lists, sorted."""
        with transaction(self._engine) as cursor:
            cursor.execute(statement("watchlist_names"))
            return [name for (name,) in cursor.fetchall()]
