"""What files of companies are made of, for the tests that load them."""

import pandas as pd

from tsbench.store.engine import transaction

HEADER = "ticker,name,sector,metric,date,value\n"
QUARTERS = [f"{stamp:%Y-%m-%d}" for stamp in pd.date_range("2015-03-31", periods=12, freq="QE")]


def long(ticker="AAA", metric="revenue", values=None, dates=QUARTERS, name="Alpha", sector="Energy"):
    values = range(100, 100 + len(dates)) if values is None else values
    return "".join(f"{ticker},{name},{sector},{metric},{d},{v}\n" for d, v in zip(dates, values, strict=False))


def everything(store):
    """The rows of the company table as they stand."""
    with transaction(store.engine) as cursor:
        cursor.execute("SELECT symbol, name, sector, series, updated_at FROM company ORDER BY symbol")
        return cursor.fetchall()
