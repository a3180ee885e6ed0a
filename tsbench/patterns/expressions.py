"""Channel expressions: small formulas over metrics, such as `yoy(ttm(revenue))` or `net_income / revenue`.

The grammar is Python's, read by `ast` and never executed: metric names, numbers, + - * / and the functions below.
All of them look back in fiscal periods, never forward; a missing value in makes the result missing. Companies are
compared within one calendar period of their frequency, so a peer's books may close up to a period later
(`tsbench.series.calendar.period_of`); `evaluate` says how to ask only for what was known.

    ttm(x)                       sum of the last year's periods (trailing twelve months)
    yoy(x)                       x over its value a year ago, minus one; missing where that value is <= 0
    accel(x)                     yoy(x) minus yoy(x) a year ago
    lag(x, k)                    x of k periods ago
    change(x, k)                 x minus x of k periods ago
    volatility(x, k)             standard deviation of the last k one-step changes of x, about their mean
    log(x)                       natural logarithm; missing where x <= 0
    minus_median(x, universe)    x minus the median over all companies (or `sector`: of its sector) in that period
    rank_in(x, sector)           rank from 0 (lowest) to 1 among the companies of its sector (or `universe`)
"""

import ast
import sys
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tsbench.errors import BadInput, NotFound
from tsbench.series import Panel
from tsbench.series.calendar import period_of

Floats = NDArray[np.float64]
PERIODS_PER_YEAR = {"annual": 1, "quarterly": 4, "monthly": 12, "weekly": 52}
GROUPS = ("universe", "sector")
LONGEST, DEEPEST = 500, 60  # characters and levels of nesting that are read
_OPERATORS: dict[type[ast.operator], Callable[[Floats, Floats], Floats]] = {
    ast.Add: np.add,
    ast.Sub: np.subtract,
    ast.Mult: np.multiply,
    ast.Div: np.divide,
}
_LEAST = {"volatility": 2}  # the smallest k where it is not 1: one change has no spread
_ARGUMENTS = {
    "ttm": "x",
    "yoy": "x",
    "accel": "x",
    "log": "x",
    "lag": "x, k",
    "change": "x, k",
    "volatility": "x, k",
    "minus_median": "x, group",
    "rank_in": "x, group",
}


def evaluate(expression: str, panel: Panel) -> Panel:
    """The expression's value for every entity of the panel, on the entity's fiscal grid.

    Parameters
        expression : see the module's text.
        panel : series of one frequency; every metric named must stand under one key per entity.
    Returns
        Panel with one series per entity that has any of the metrics; its metric is the expression, its attributes
        (name, sector) and flags those of the inputs. available_at is the latest of the period's own end and of when
        each metric named became public for that same period. What came in from earlier periods (lag, ttm, yoy,
        volatility) or from peers (minus_median, rank_in) is not in it, so what was known on a day is asked of the
        panel first: `evaluate(expression, panel.select(as_of=day))`.
    Raises     BadInput: syntax, unknown function, ambiguous metric, metrics of several frequencies; NotFound: a
        metric that is not in the panel.
    """
    return evaluate_all((expression,), panel)[0]


def evaluate_all(expressions: tuple[str, ...], panel: Panel) -> list[Panel]:
    """Several expressions over one `panel` on a common grid: equal offsets and times; see `evaluate`."""
    names = sorted({name for expression in expressions for name in metrics_of(expression)})
    frame = _Grid(panel, names)
    # What overflows or divides by zero is missing, as `_Grid.panel` says.
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        return [frame.panel(expression, frame.value(_read(expression)[0])) for expression in expressions]


def metrics_of(expression: str) -> tuple[str, ...]:
    """The metrics an expression reads, sorted. Raises BadInput when it is not a valid expression."""
    if not isinstance(expression, str):
        raise BadInput(f"an expression must be text such as 'yoy(revenue)', got {expression!r}")
    return _read(expression)[1]


@cache
def _read(expression: str) -> tuple[ast.expr, tuple[str, ...]]:
    """The checked tree of an expression and the metrics in it."""
    if len(expression) > LONGEST:
        raise BadInput(f"expression of {len(expression)} characters; at most {LONGEST} are read")
    try:
        tree = ast.parse(expression.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise BadInput(f"expression {expression!r} cannot be read: {error}") from error
    _check_depth(tree, expression)
    found: set[str] = set()
    _walk(tree, expression, found)
    if not found:
        raise BadInput(f"expression {expression!r} names no metric")
    return tree, tuple(sorted(found))


def _check_depth(tree: ast.expr, expression: str) -> None:
    level: list[ast.AST] = [tree]
    for _ in range(DEEPEST):
        level = [inner for node in level for inner in ast.iter_child_nodes(node)]
    if level:
        raise BadInput(f"expression {expression!r} is nested deeper than {DEEPEST} levels; say it more simply")


def _walk(node: ast.expr, expression: str, found: set[str]) -> None:
    match node:
        case ast.Name(id=name):
            found.add(name)
        case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
            if not abs(value) <= sys.float_info.max:
                raise BadInput(f"expression {expression!r} holds a number beyond {sys.float_info.max:.3g}")
        case ast.UnaryOp(op=ast.USub(), operand=inner):
            _walk(inner, expression, found)
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
            _walk(left, expression, found)
            _walk(right, expression, found)
        case ast.Call(func=ast.Name(id=name), args=args, keywords=[]) if name in _ARGUMENTS:
            wanted = _ARGUMENTS[name].split(", ")
            if len(args) != len(wanted):
                raise BadInput(f"{name}() in {expression!r} takes ({_ARGUMENTS[name]}), got {len(args)} arguments")
            if "k" in wanted and not (isinstance(args[1], ast.Constant) and type(args[1].value) is int):
                raise BadInput(f"{name}(x, k) in {expression!r} needs a whole number k, got {ast.unparse(args[1])}")
            least = _LEAST.get(name, 1)
            if "k" in wanted and isinstance(args[1], ast.Constant) and not least <= int(str(args[1].value)) <= 400:
                raise BadInput(f"{name}(x, k) in {expression!r} needs k from {least} to 400: only the past is known")
            if "group" in wanted and not (isinstance(args[1], ast.Name) and args[1].id in GROUPS):
                raise BadInput(
                    f"{name}(x, group) in {expression!r} needs universe or sector, got {ast.unparse(args[1])}"
                )
            _walk(args[0], expression, found)
        case _:
            raise BadInput(
                f"{ast.unparse(node)!r} in expression {expression!r} is not allowed; use metric names, numbers, "
                f"+ - * / and {', '.join(f'{f}({a})' for f, a in _ARGUMENTS.items())}"
            )


class _Grid:
    """The metrics of one evaluation as rows of one common fiscal grid, entity after entity."""

    def __init__(self, panel: Panel, names: list[str]) -> None:
        known = set(panel.index["metric"])
        absent = [name for name in names if name not in known]
        if absent:
            raise NotFound(
                f"the panel has no metric {', '.join(map(repr, absent))}; it has {', '.join(sorted(known)) or 'none'}"
            )
        part = panel.select(metric=names) if known != set(names) else panel
        twice = part.index.duplicated(["entity", "metric"])
        if twice.any():
            row = part.index[twice].iloc[0]
            same = part.index[(part.index["entity"] == row["entity"]) & (part.index["metric"] == row["metric"])]
            keys = same[["metric", "frequency", "basis", "source"]].itertuples(index=False)
            raise BadInput(
                f"{row['entity']} has {len(same)} series of {row['metric']} ({'; '.join('|'.join(k) for k in keys)}); "
                "select one frequency, basis and source first"
            )
        frequencies = list(part.index["frequency"].unique())
        if len(frequencies) > 1:
            raise BadInput(
                f"{', '.join(names)} stand under {len(frequencies)} frequencies ({', '.join(map(str, frequencies))}), "
                f"whose periods do not compare; take one: panel.select(frequency={str(frequencies[0])!r})"
            )
        self.frequency = str(frequencies[0])
        aligned = part.aligned()
        entity = aligned.index["entity"].to_numpy(dtype=object)
        first = np.flatnonzero(np.r_[True, entity[1:] != entity[:-1]]) if len(aligned) else np.zeros(0, np.int64)
        lengths = np.diff(aligned.offsets)
        self.offsets = np.r_[0, np.cumsum(lengths[first])].astype(np.int64)
        self.index = aligned.index.iloc[first].reset_index(drop=True)
        row_entity = np.cumsum(np.r_[True, entity[1:] != entity[:-1]]) - 1 if len(aligned) else first
        n = int(self.offsets[-1])
        pick = np.repeat(aligned.offsets[first] - self.offsets[:-1], lengths[first]) + np.arange(n)
        self.times = aligned.times[pick]
        self.available = self.times.copy()
        self.flags = np.zeros(n, np.uint8)
        self.rows = {name: np.full(n, np.nan) for name in names}
        metric = aligned.index["metric"].to_numpy(dtype=object)
        for name in names:
            here = np.flatnonzero(metric == name)
            size = lengths[here]
            source = np.repeat(aligned.offsets[here] - np.r_[0, np.cumsum(size)[:-1]], size) + np.arange(size.sum())
            target = np.repeat(self.offsets[row_entity[here]] - np.r_[0, np.cumsum(size)[:-1]], size)
            target = target + np.arange(size.sum())
            self.rows[name][target] = aligned.values[source]
            self.available[target] = np.maximum(self.available[target], aligned.available_at[source])
            self.flags[target] |= aligned.flags[source]
        self.position = np.arange(n) - np.repeat(self.offsets[:-1], np.diff(self.offsets))

    def panel(self, expression: str, value: Floats) -> Panel:
        value = np.where(np.isfinite(value), value, np.nan)
        index = self.index.assign(metric=expression)
        return Panel(value, self.offsets, self.times, index, self.available, self.flags)

    def value(self, node: ast.expr) -> Floats:
        match node:
            case ast.Name(id=name):
                return self.rows[name]
            case ast.Constant(value=int() | float() as number):
                return np.full(self.times.size, float(number))
            case ast.UnaryOp(operand=inner):
                return -self.value(inner)
            case ast.BinOp(left=left, op=op, right=right):
                return _OPERATORS[type(op)](self.value(left), self.value(right))
            case ast.Call(func=ast.Name(id=name), args=[first, *rest]):
                x = self.value(first)
                match rest:
                    case [ast.Constant(value=int() as k)]:
                        return {"lag": self._lag, "change": self._change, "volatility": self._volatility}[name](x, k)
                    case [ast.Name(id=group)]:
                        return self._minus_median(x, group) if name == "minus_median" else self._rank(x, group)
                return {"ttm": self._ttm, "yoy": self._yoy, "accel": self._accel, "log": _log}[name](x)
        raise BadInput(f"{ast.unparse(node)!r} is not allowed in an expression")

    @property
    def year(self) -> int:
        if self.frequency not in PERIODS_PER_YEAR:
            raise BadInput(
                f"ttm, yoy and accel need series of a frequency among {', '.join(PERIODS_PER_YEAR)}; got "
                f"{self.frequency}"
            )
        return PERIODS_PER_YEAR[self.frequency]

    def _lag(self, x: Floats, k: int) -> Floats:
        out = np.full_like(x, np.nan)
        out[k:] = x[:-k]
        out[self.position < k] = np.nan
        return out

    def _change(self, x: Floats, k: int) -> Floats:
        return x - self._lag(x, k)

    def _volatility(self, x: Floats, k: int) -> Floats:
        steps = self._change(x, 1)
        mean = steps / k
        for j in range(1, k):
            mean = mean + self._lag(steps, j) / k
        # In two passes, not by running sums: a value that stands still gives exactly 0, whatever came before.
        squares = (steps - mean) ** 2
        for j in range(1, k):
            squares = squares + (self._lag(steps, j) - mean) ** 2
        return np.sqrt(squares / (k - 1))

    def _ttm(self, x: Floats) -> Floats:
        total = x.copy()
        for k in range(1, self.year):
            total = total + self._lag(x, k)
        return total

    def _yoy(self, x: Floats) -> Floats:
        before = self._lag(x, self.year)
        return np.divide(x, before, out=np.full_like(x, np.nan), where=before > 0) - 1.0

    def _accel(self, x: Floats) -> Floats:
        growth = self._yoy(x)
        return growth - self._lag(growth, self.year)

    def _peers(self, x: Floats, group: str) -> Any:
        period = period_of(self.times, self.frequency)
        if group == "sector":
            if "sector" not in self.index:
                raise BadInput("a group by sector needs a panel whose index has the column sector")
            sector = np.repeat(pd.factorize(self.index["sector"])[0], np.diff(self.offsets))
        else:
            sector = np.zeros(x.size, np.int64)
        return pd.Series(x).groupby([period, sector])

    def _minus_median(self, x: Floats, group: str) -> Floats:
        middle: Floats = self._peers(x, group).transform("median").to_numpy()
        return x - middle

    def _rank(self, x: Floats, group: str) -> Floats:
        peers = self._peers(x, group)
        rank = peers.rank(method="average").to_numpy() - 1.0
        count = peers.transform("count").to_numpy()
        # A company alone in its group has no rank to speak of.
        share: Floats = np.divide(rank, count - 1.0, out=np.full_like(x, np.nan), where=count > 1)
        return share


def _log(x: Floats) -> Floats:
    return np.log(x, out=np.full_like(x, np.nan), where=x > 0)
