"""Conditions on a table of companies: read as Python writes them, answered by a walk over their tree, never executed.

The language is that part of `DataFrame.query` that a filter needs: columns, numbers and text, comparisons, `in`, `and`,
`or`, `not` (also &, |, ~), `.isna()`, `.notna()`, `.isin([...])`, `.between(a, b)`, `.str.contains(text)`,
`.str.startswith(text)`, `.str.endswith(text)` (text as it is, no regular expression), and expressions over metrics.

A comparison with a missing value is neither true nor false (Kleene's logic of three values): such a company meets
neither the condition nor its opposite.
"""

import ast
import io
import operator
import tokenize
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tsbench import checks
from tsbench.errors import BadInput, NotFound

LONGEST, DEEPEST = 2_000, 60
# As pandas reads them in a query: weaker than any comparison.
_WORDS = {"&": "and", "|": "or", "~": "not"}
_COMPARE: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}
_TEXT = {"contains": lambda x, text: text in x, "startswith": str.startswith, "endswith": str.endswith}
_ALLOWED = (
    "columns, expressions over metrics, numbers, text, == != < <= > >=, in [...], and, or, not, .isna(), .notna(), "
    ".isin([...]), .between(a, b), .str.contains(text), .str.startswith(text), .str.endswith(text)"
)
Bools = NDArray[np.bool_]


class Answer(NamedTuple):
    """For each company whether a condition is true, and whether that can be told."""

    true: Bools
    known: Bools


def conditions(query: str) -> list[ast.expr]:
    """The conditions that a query joins by `and`. Raises BadInput where it cannot be read."""
    if not query.strip():
        return []
    shown = query if len(query) <= 80 else f"{query[:77]}..."
    if len(query) > LONGEST:
        raise BadInput(f"a query of {len(query):,} characters; at most {LONGEST:,} are read")
    try:
        tokens = tokenize.generate_tokens(io.StringIO(query.strip()).readline)
        plain = tokenize.untokenize((t.type, f" {_WORDS.get(t.string, t.string)} ") for t in tokens)
        node = ast.parse(plain.strip(), mode="eval").body
    except (SyntaxError, tokenize.TokenError, ValueError, RecursionError, MemoryError) as error:
        raise BadInput(
            f'the query {shown!r} cannot be read; write it like: sector == "Energy" and roic > 0.1 (== for equal; and, '
            "or, not)"
        ) from error
    level: list[ast.AST] = [node]
    for _ in range(DEEPEST):
        level = [inner for outer in level for inner in ast.iter_child_nodes(outer)]
    if level:
        raise BadInput(f"the query {shown!r} is nested deeper than {DEEPEST} levels; say it more simply")
    return list(node.values) if isinstance(node, ast.BoolOp) and isinstance(node.op, ast.And) else [node]


class Asked:
    """One condition, asked of a table.

    Parameters
        table : a column per name that may stand in a condition.
        measured : gives an expression over metrics for each company, NaN where it has no value.
    names : the numbers that the condition looked at, once it was asked.
    """

    def __init__(self, condition: ast.expr, table: pd.DataFrame, measured: Callable[[str], pd.Series]) -> None:
        self.text = ast.unparse(condition)
        self._condition, self._table, self._measured = condition, table, measured
        self.names: dict[str, pd.Series] = {}

    def answer(self) -> Answer:
        """Raises BadInput: something in it is unknown, not allowed, or does not answer yes or no."""
        return self._truth(self._condition)

    def _truth(self, node: ast.expr) -> Answer:
        match node:
            case ast.BoolOp(op=op, values=parts):
                answers = [self._truth(part) for part in parts]
                sure = [a.true & a.known if isinstance(op, ast.Or) else ~a.true & a.known for a in answers]
                decided, every = np.logical_or.reduce(sure), np.logical_and.reduce([a.known for a in answers])
                return Answer(decided if isinstance(op, ast.Or) else ~decided & every, decided | every)
            case ast.UnaryOp(op=ast.Not() | ast.Invert(), operand=inner):
                answer = self._truth(inner)
                return Answer(~answer.true, answer.known)
            case ast.Compare(left=left, ops=ops, comparators=rights):
                sides = [left, *rights]
                answers = [self._compared(a, op, b) for a, op, b in zip(sides, ops, rights, strict=False)]
                true, known = (np.logical_and.reduce(x) for x in zip(*answers, strict=True))
                return Answer(true, known)
            case ast.Call(func=ast.Attribute(value=column, attr="isna" | "notna" as asks), args=[], keywords=[]):
                missing = self._column(column).isna().to_numpy(np.bool_)
                return Answer(missing if asks == "isna" else ~missing, np.ones(missing.size, np.bool_))
            case ast.Call(func=ast.Attribute(value=column, attr="isin"), args=[values], keywords=[]):
                return self._compared(column, ast.In(), values)
            case ast.Call(func=ast.Attribute(value=column, attr="between"), args=[low, high], keywords=[]):
                above, below = self._compared(column, ast.GtE(), low), self._compared(column, ast.LtE(), high)
                return Answer(above.true & below.true, above.known & below.known)
            case ast.Call(
                func=ast.Attribute(value=ast.Attribute(value=column, attr="str"), attr=asks),
                args=[ast.Constant(value=str() as text)],
                keywords=[],
            ) if asks in _TEXT:
                return self._held(self._column(column), lambda x: _TEXT[asks](x, text))
            case ast.Name():
                flag = self._column(node)
                if pd.api.types.is_bool_dtype(flag):
                    return Answer(flag.to_numpy(np.bool_), np.ones(len(flag), np.bool_))
                raise BadInput(f"{node.id!r} in the condition {self.text!r} does not answer yes or no; compare it")
        raise self._refused(node)

    def _compared(self, left: ast.expr, op: ast.cmpop, right: ast.expr) -> Answer:
        if isinstance(op, ast.In | ast.NotIn):
            column, values = self._column(left), self._list(right, left)
            answer = self._held(column, lambda x: x in values)
            return answer if isinstance(op, ast.In) else Answer(~answer.true, answer.known)
        if type(op) not in _COMPARE:
            raise self._refused(left)
        a, b = self._side(left, right), self._side(right, left)
        if not isinstance(a, pd.Series) and not isinstance(b, pd.Series):
            raise BadInput(f"the condition {self.text!r} compares nothing of a company; name a column")
        if isinstance(b, pd.Series) and not isinstance(a, pd.Series):
            a, b = b, a
            op = {ast.Lt: ast.Gt, ast.LtE: ast.GtE, ast.Gt: ast.Lt, ast.GtE: ast.LtE}.get(type(op), type(op))()
        if _kind(a) != _kind(b):
            raise BadInput(f"the condition {self.text!r} compares {_kind(a)} with {_kind(b)}")
        known = a.notna().to_numpy(np.bool_)
        if isinstance(b, pd.Series):
            known = known & b.notna().to_numpy(np.bool_)
            b = b.to_numpy(object)[known]
        true = np.zeros(known.size, np.bool_)
        true[known] = _COMPARE[type(op)](a.to_numpy(object)[known], b)
        return Answer(true, known)

    def _side(self, node: ast.expr, other: ast.expr) -> Any:
        """A side of a comparison: a column, or a constant that fits the other side."""
        constant = _constant(node)
        if constant is None:
            return self._column(node)
        if isinstance(constant, str) and _constant(other) is None:
            column = self._column(other)
            if _kind(column) == "a date":
                return self._date(constant)
            self._present(constant, other, column)
        return constant

    def _list(self, node: ast.expr, of: ast.expr) -> set[Any]:
        if not isinstance(node, ast.List | ast.Tuple | ast.Set):
            raise self._refused(node)
        values = [_constant(value) for value in node.elts]
        if any(value is None for value in values):
            raise self._refused(node)
        column = self._column(of)
        for value in values:
            if _kind(value) != _kind(column):
                raise BadInput(f"the condition {self.text!r} compares {_kind(column)} with {_kind(value)}")
            self._present(value, of, column)
        return set(values)

    def _present(self, value: Any, of: ast.expr, column: pd.Series) -> None:
        """A text that no company has is a slip of the pen."""
        if isinstance(value, str) and _kind(column) == "text":
            try:
                checks.known(value, ast.unparse(of), sorted({str(x) for x in column.dropna()}))
            except NotFound as error:
                raise BadInput(f"in the condition {self.text!r}: {error}") from error

    def _date(self, text: str) -> pd.Timestamp:
        try:
            moment = pd.Timestamp(text)
        except ValueError as error:
            raise BadInput(f"{text!r} in the condition {self.text!r} is no date; write it like 2010-01-01") from error
        return moment.tz_localize("UTC") if moment.tz is None else moment

    def _column(self, node: ast.expr) -> pd.Series:
        match node:
            case ast.Name(id=name):
                try:
                    checks.known(name, "column", [str(column) for column in self._table.columns])
                except NotFound as error:
                    raise BadInput(f"in the condition {self.text!r}: {error}") from error
                column = self._table[name]
                if pd.api.types.is_float_dtype(column):
                    self.names[name] = column
                return column
            case ast.BinOp() | ast.UnaryOp(op=ast.USub()) | ast.Call(func=ast.Name()):
                text = ast.unparse(node)
                if text not in self.names:
                    self.names[text] = self._measured(text)
                return self.names[text]
        raise self._refused(node)

    @staticmethod
    def _held(column: pd.Series, holds: Callable[[Any], bool]) -> Answer:
        known = column.notna().to_numpy(np.bool_)
        true = [bool(here) and holds(x) for x, here in zip(column, known, strict=True)]
        return Answer(np.array(true, np.bool_), known)

    def _refused(self, node: ast.expr) -> BadInput:
        return BadInput(f"{ast.unparse(node)!r} in the condition {self.text!r} is not allowed; use {_ALLOWED}")


def _constant(node: ast.expr) -> str | float | bool | None:
    """A number, a text, True or False; None for anything else."""
    match node:
        case ast.Constant(value=str() | int() | float() as value):
            return value
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as value)):
            return -value
    return None


def _kind(value: Any) -> str:
    """What a side of a comparison holds."""
    if isinstance(value, pd.Series):
        if pd.api.types.is_bool_dtype(value):
            return "yes or no"
        if pd.api.types.is_numeric_dtype(value):
            return "a number"
        return "a date" if pd.api.types.is_datetime64_any_dtype(value) else "text"
    if isinstance(value, bool):
        return "yes or no"
    return "a date" if isinstance(value, pd.Timestamp) else "text" if isinstance(value, str) else "a number"
