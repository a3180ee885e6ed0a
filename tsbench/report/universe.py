"""The companies as a table, filtered by a query, and what each condition of it costs.

Leaving dead companies out flatters every statement about what companies do; a filter that does so must show it.
"""

import ast
import io
import tokenize
from collections.abc import Collection
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tsbench import checks
from tsbench.errors import BadInput, NotFound
from tsbench.patterns import evaluate
from tsbench.plots.units import amount, unit_of, words
from tsbench.report.holdings import companies
from tsbench.series import Panel
from tsbench.series.growth import growth_category

# Rows of a table of companies.
ROWS = 20
# What a condition may be made of, beside columns and expressions. All else that Python knows stays out: a query may
# come from a page.
_PARTS = (ast.BoolOp, ast.UnaryOp, ast.Compare, ast.BinOp, ast.List, ast.Tuple, ast.Constant, ast.Name, ast.Load)
_SIGNS = (ast.boolop, ast.unaryop, ast.cmpop, ast.Add, ast.Sub, ast.Mult, ast.Div)
_METHODS, _TEXT_METHODS = ("isna", "notna", "isin", "between"), ("contains", "startswith", "endswith")
# As pandas reads them in a query: weaker than any comparison.
_WORDS = {"&": "and", "|": "or", "~": "not"}


@dataclass(frozen=True, slots=True)
class Screen:
    """What a query leaves of a universe.

    companies : the rows that pass, with a column for each expression that the query names.
    funnel : a row per condition: stage, companies, dead (left by it), dropped, dead_dropped (by it), note.
    asked : the columns of numbers that the query names.
    """

    companies: pd.DataFrame = field(repr=False)
    funnel: pd.DataFrame
    asked: tuple[str, ...] = ()

    def limited(self, stage: str, symbols: Collection[str]) -> "Screen":
        """Only the companies of these `symbols`, told in the funnel as one more `stage`."""
        kept = self.companies[self.companies["symbol"].isin(symbols)]
        funnel = pd.concat([self.funnel, pd.DataFrame([_stage(stage, self.companies, kept, "")])], ignore_index=True)
        return Screen(kept.reset_index(drop=True), funnel, self.asked)

    def _repr_html_(self) -> str:
        shown = self.companies.head(ROWS)
        table = pd.DataFrame({"company": shown["name"], "symbol": shown["symbol"], "sector": shown["sector"]})
        table["last period"] = shown["last"].dt.strftime("%Y-%m")
        for name in self.asked:
            table[words(name)] = [amount(x, unit_of(name)) for x in shown[name]]
        more = len(self.companies) - len(shown)
        return str(table.style.hide(axis="index").to_html()) + (f"<p>and {more} more</p>" if more else "")


def universe(panel: Panel) -> pd.DataFrame:
    """One row per company, by symbol.

    Parameters
        panel : raw metrics of one frequency.
    Returns
        DataFrame symbol, name, sector, first, last, periods, doubtful, live (see `companies`); per metric its latest
        clean value under the metric's name (NaN when there is none), and METRIC_category (see `growth_category`).
    """
    table = companies(panel).rename(columns={"entity": "symbol"})
    clean = panel.without_flagged()
    for metric in dict.fromkeys(panel.index["metric"]):
        rows = np.flatnonzero((panel.index["metric"] == metric).to_numpy())
        entities = panel.index["entity"].iloc[rows]
        # of several bases or sources the first counts
        values = {e: clean.series(int(i))[1] for e, i in zip(entities[::-1], rows[::-1], strict=True)}
        table[metric] = table["symbol"].map({e: _latest(x) for e, x in values.items()}).astype(np.float64)
        table[f"{metric}_category"] = table["symbol"].map({e: growth_category(x) for e, x in values.items()})
    return table


def screen(panel: Panel, query: str, table: pd.DataFrame | None = None) -> Screen:
    """The companies that pass a query, and what each of its conditions costs.

    Parameters
        panel : as in `universe`.
        query : as for `DataFrame.query`, on the columns of `universe`: `sector == "Energy" and roic > 0.1`. An
            expression over metrics stands for its latest clean value: `yoy(ttm(revenue)) > 0.2`. Conditions joined by
            `and` are told one by one. Empty: everyone passes. A missing value meets no condition but `isna`.
        table : the universe of the panel, where it is at hand.
    Raises     BadInput: the query cannot be read, names an unknown column or does not answer yes or no; NotFound: an
        expression names a metric that the panel lacks.
    """
    everyone = universe(panel) if table is None else table
    passed = np.ones(len(everyone), np.bool_)
    rows = [_stage("all companies", everyone, everyone, "")]
    named: dict[str, None] = {}
    for condition in _conditions(query):
        text = ast.unparse(condition)
        names = _Named()
        asked = names.visit(condition)
        for expression in names.found:
            everyone = everyone.assign(**{expression: _latest_of(panel, expression, everyone["symbol"])})
        scope = everyone.rename(columns=names.found)
        before, passed = passed, passed & _answer(asked, text, scope)
        used = [node.id for node in ast.walk(asked) if isinstance(node, ast.Name) and node.id in scope]
        meant = {name: expression for expression, name in names.found.items()}
        named |= {meant.get(n, n): None for n in used if pd.api.types.is_float_dtype(scope[n])}
        unknown = int(scope.loc[before & ~passed, used].isna().any(axis=1).sum())
        note = f"{unknown} of the dropped have no value" if unknown else ""
        rows.append(_stage(text, everyone[before], everyone[passed], note))
    return Screen(everyone[passed].reset_index(drop=True), pd.DataFrame(rows), tuple(named))


class _Named(ast.NodeTransformer):
    """Puts a name in place of every expression over metrics; `found`: their texts and those names."""

    def __init__(self) -> None:
        self.found: dict[str, str] = {}

    def visit_Call(self, node: ast.Call) -> ast.AST:
        if isinstance(node.func, ast.Name):
            name = self.found.setdefault(ast.unparse(node), f"expression_{len(self.found)}")
            return ast.copy_location(ast.Name(name, ast.Load()), node)
        return self.generic_visit(node)


def _conditions(query: str) -> list[ast.expr]:
    """The conditions that a query joins by `and`."""
    if not query.strip():
        return []
    try:
        tokens = tokenize.generate_tokens(io.StringIO(query.strip()).readline)
        plain = tokenize.untokenize((t.type, f" {_WORDS.get(t.string, t.string)} ") for t in tokens)
        node = ast.parse(plain.strip(), mode="eval").body
    except (SyntaxError, tokenize.TokenError, ValueError, RecursionError) as error:
        raise BadInput(
            f'the query {query!r} cannot be read ({error}); write it like: sector == "Energy" and roic > 0.1'
        ) from error
    return list(node.values) if isinstance(node, ast.BoolOp) and isinstance(node.op, ast.And) else [node]


def _answer(asked: ast.expr, text: str, scope: pd.DataFrame) -> NDArray[np.bool_]:
    _check(asked, text, scope)
    # dates are written without a zone
    aware = {name: x.dt.tz_localize(None) for name, x in scope.items() if isinstance(x.dtype, pd.DatetimeTZDtype)}
    scope = scope.assign(**{str(name): x for name, x in aware.items()})
    try:
        answer = scope.eval(ast.unparse(asked), engine="python", local_dict={}, global_dict={})
    except Exception as error:  # pandas raises whatever the operation raises
        raise BadInput(f"the condition {text!r} cannot be answered: {error}") from error
    if not isinstance(answer, pd.Series) or not pd.api.types.is_bool_dtype(answer):
        raise BadInput(f"the condition {text!r} does not answer yes or no for each company; compare with something")
    return answer.to_numpy(np.bool_)


def _check(node: ast.AST, text: str, scope: pd.DataFrame) -> None:
    """Nothing, when a condition is made of what a condition may be made of."""
    match node:
        case ast.Name(id=name):
            _known(name, "column", [str(column) for column in scope.columns], text)
        case ast.Compare(left=ast.Name(id=name), ops=[ast.Eq() | ast.In()], comparators=[values]) if name in scope:
            # a value that no company has is a slip of the pen
            present = [str(value) for value in scope[name].dropna().unique()] if scope[name].dtype.kind in "OUT" else []
            for value in ast.walk(values):
                if isinstance(value, ast.Constant) and isinstance(value.value, str) and present:
                    _known(value.value, name, present, text)
                elif isinstance(value, ast.Attribute | ast.Call):
                    _check(value, text, scope)
        case ast.Call(func=ast.Attribute(value=ast.Name() as column, attr=attr), args=args, keywords=[]) if (
            attr in _METHODS
        ):
            for inner in (column, *args):
                _check(inner, text, scope)
        case ast.Call(
            func=ast.Attribute(value=ast.Attribute(value=ast.Name() as column, attr="str"), attr=attr),
            args=[ast.Constant(value=str())],
            keywords=[],
        ) if attr in _TEXT_METHODS:
            _check(column, text, scope)
        case _ if isinstance(node, (*_PARTS, *_SIGNS)):
            for part in ast.iter_child_nodes(node):
                _check(part, text, scope)
        case _:
            raise BadInput(
                f"{ast.unparse(node)!r} in the condition {text!r} is not allowed; use columns, expressions over "
                f"metrics, numbers, text, comparisons, in [...], and, or, not, "
                f"{', '.join(f'.{m}()' for m in _METHODS)}, "
                f"{', '.join(f'.str.{m}(text)' for m in _TEXT_METHODS)}"
            )


def _known(name: str, what: str, names: list[str], text: str) -> None:
    try:
        checks.known(name, what, names)
    except NotFound as error:
        raise BadInput(f"in the condition {text!r}: {error}") from error


def _stage(stage: str, before: pd.DataFrame, after: pd.DataFrame, note: str) -> dict[str, object]:
    dead, dead_before = int((~after["live"]).sum()), int((~before["live"]).sum())
    lost = {"dropped": len(before) - len(after), "dead_dropped": dead_before - dead}
    return {"stage": stage, "companies": len(after), "dead": dead, **lost, "note": note}


def _latest_of(panel: Panel, expression: str, symbols: pd.Series) -> pd.Series:
    values = evaluate(expression, panel.without_flagged())
    latest = {e: _latest(values.series(i)[1]) for i, e in enumerate(values.index["entity"])}
    return symbols.map(latest).astype(np.float64)


def _latest(values: NDArray[np.float64]) -> float:
    solid = values[~np.isnan(values)]
    return float(solid[-1]) if solid.size else float("nan")
