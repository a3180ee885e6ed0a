"""What a channel expression measures, in words and in numbers a reader takes in at a glance."""

import ast
import math
from collections.abc import Callable
from typing import Literal, NamedTuple

from tsbench.errors import BadInput
from tsbench.patterns import Constraint, metrics_of

Kind = Literal["money", "share", "number"]
MONEY = {"revenue", "revenue_ttm", "market_cap", "net_income", "invested_capital"}
SHARES = {"roic"}
SIZES = ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k"))
WORDS = {
    "roic": "return on capital",
    "market_cap": "market cap",
    "revenue_ttm": "12-month revenue",
    "net_income": "net income",
    "invested_capital": "invested capital",
}
_SIGNS: dict[type[ast.operator], str] = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/"}
_PHRASES: dict[str, Callable[[str, str], str]] = {
    "ttm": lambda x, _: f"12-month {x}",
    "yoy": lambda x, _: f"{x} growth",
    "accel": lambda x, _: f"change in {x} growth",
    "log": lambda x, _: x,
    "lag": lambda x, k: f"{x} {k} periods before",
    "change": lambda x, k: f"change in {x} over {k} periods",
    "volatility": lambda x, k: f"volatility of {x} over {k} periods",
    "minus_median": lambda x, group: f"{x} above the {group} median",
    "rank_in": lambda x, group: f"{x} rank in its {group}",
}


class Unit(NamedTuple):
    """money, share (of one, read in percent) or number; `log` when the expression is a logarithm of it."""

    kind: Kind
    log: bool = False


def unit_of(expression: str) -> Unit:
    """The unit an expression is read in; a logarithm is read in the unit of what stands under it."""
    match _node(expression):
        case ast.Call(func=ast.Name(id="log"), args=[under]):
            return Unit(_kind(under), log=True)
        case node:
            return Unit(_kind(node))


def words(expression: str) -> str:
    """The expression in plain words: `yoy(ttm(revenue))` is "12-month revenue growth"."""
    return _phrase(_node(expression))


def amount(value: float, unit: Unit) -> str:
    """A value in its unit: "$12.3B", "8.1%", "3.14"; missing is a dash."""
    if not math.isfinite(value):
        return "–"
    if unit.kind == "share":
        return _signed(f"{100 * value:,.1f}%")
    if unit.kind == "money":
        size, name = next((s for s in SIZES if abs(value) >= 0.9995 * s[0]), (1.0, ""))
        scaled = value / size
        return _signed(f"{'-' if value < 0 else ''}${abs(scaled):.{0 if abs(scaled) >= 100 else 1}f}{name}")
    return _signed(f"{value:,.0f}" if 1e3 <= abs(value) < 1e9 else f"{value:.3g}")


def ticks(low: float, high: float, unit: Unit) -> tuple[list[float], list[str]]:
    """Three to five round values from low to high and how they are written: "$10B", "5%"."""
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        return [], []
    rough = high / 4 - low / 4
    if rough < 1e-300 or rough <= 1e-12 * max(abs(low), abs(high)):
        return [], []
    decade = 10.0 ** math.floor(math.log10(rough))
    step = min((m * decade for m in (1, 2, 2.5, 5, 10)), key=lambda s: abs(s - rough))
    places = [k * step for k in range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1)]
    return places, [_short(amount(place, unit)) for place in places]


def _short(text: str) -> str:
    """Without a trailing ".0"."""
    return text.replace(".0%", "%").replace(".0B", "B").replace(".0M", "M").replace(".0T", "T").replace(".0k", "k")


def change(first: float, last: float, unit: Unit) -> tuple[str, str]:
    """(from and to, difference) as they are spoken of: points for shares, percent for money.

    ("4.1% → 9.8%", "+5.7 points"), ("$12.1B → $12.9B", "+7%"); the difference is empty when there is none to tell.
    """
    span = f"{amount(first, unit)} → {amount(last, unit)}"
    if not (math.isfinite(first) and math.isfinite(last)):
        return span, ""
    if unit.kind == "share":
        return span, _signed(f"{100 * (last - first):+.1f} points")
    return span, _signed(f"{100 * (last / first - 1):+.0f}%") if first > 0 else ""


def rule(constraint: Constraint) -> str:
    """What a constraint asks of its channel, in plain words: "gains at least 2 points", "changes −9.5% to +10.5%"."""
    unit = unit_of(constraint.channel)
    low, high = constraint.bounds
    if constraint.kind == "level":
        verb = "averages"
    elif constraint.kind == "slope":
        verb = "moves per period"
    elif low >= 0 or high <= 0:
        # of a logarithm the bounds become shares one by one: a loss of 0.2 is 18.1 %, a gain of 0.2 is 22.1 %
        least, most = (low, high) if low >= 0 else (high, low)
        told = f"{'gains' if low >= 0 else 'loses'} at least {_size(least, constraint, unit)}"
        return told if math.isinf(most) else f"{told} and at most {_size(most, constraint, unit)}"
    else:
        verb = "changes"
    if math.isinf(high):
        return f"{verb} at least {_bound(low, constraint, unit)}"
    if math.isinf(low):
        return f"{verb} at most {_bound(high, constraint, unit)}"
    return f"{verb} {_bound(low, constraint, unit)} to {_bound(high, constraint, unit)}"


def _size(value: float, constraint: Constraint, unit: Unit) -> str:
    """A bound without its sign."""
    return _bound(value, constraint, unit).lstrip("+\N{MINUS SIGN}")


def _bound(value: float, constraint: Constraint, unit: Unit) -> str:
    if constraint.kind == "percent_change":
        return _signed(f"{value:+g}%")
    if constraint.kind == "level":
        return amount(math.exp(value) if unit.log else value, unit)
    if unit.log:
        return _signed(f"{100 * math.expm1(value):+.3g}%")
    points = "point" if abs(value) == 0.01 else "points"
    return _signed(f"{100 * value:+.3g} {points}" if unit.kind == "share" else f"{value:+.3g}")


def _node(expression: str) -> ast.expr:
    """The expression, or a metric whose name is none (such as "cash, net"), as a node."""
    try:
        metrics_of(expression)
    except BadInput:
        return ast.Name(expression)
    return ast.parse(expression.strip(), mode="eval").body


def _kind(node: ast.expr) -> Kind:
    match node:
        case ast.Name(id=name):
            return "money" if name in MONEY else "share" if name in SHARES else "number"
        case ast.Call(func=ast.Name(id="yoy" | "accel" | "rank_in")):
            return "share"
        case ast.Call(func=ast.Name(id="log")):
            return "number"
        case ast.Call(args=[first, *_]):
            return _kind(first)
        case ast.UnaryOp(operand=inner):
            return _kind(inner)
        case ast.BinOp(left=left, op=op, right=right):
            kinds = (_kind(left), _kind(right))
            if isinstance(op, ast.Div):
                return "share" if kinds == ("money", "money") else kinds[0] if kinds[1] == "number" else "number"
            if isinstance(op, ast.Mult):
                return "money" if "money" in kinds else "share" if "share" in kinds else "number"
            return kinds[0]
    return "number"


def _phrase(node: ast.expr) -> str:
    match node:
        case ast.Name(id=name):
            return WORDS.get(name, name.replace("_", " "))
        case ast.Call(func=ast.Name(id=name), args=[first, *rest]):
            return _PHRASES[name](_phrase(first), ast.unparse(rest[0]) if rest else "")
        case ast.BinOp(left=left, op=op, right=right):
            return f"{_operand(left, op)} {_SIGNS[type(op)]} {_operand(right, op, right=True)}"
    return ast.unparse(node)


def _operand(node: ast.expr, op: ast.operator, *, right: bool = False) -> str:
    """A side of an operation, in brackets where it would be read otherwise without."""
    if not isinstance(node, ast.BinOp):
        return _phrase(node)
    weak = isinstance(node.op, ast.Add | ast.Sub)
    otherwise = (weak and isinstance(op, ast.Mult | ast.Div)) or (
        right and (isinstance(op, ast.Div) or (weak and isinstance(op, ast.Sub)))
    )
    return f"({_phrase(node)})" if otherwise else _phrase(node)


def _signed(text: str) -> str:
    """With a true minus sign, which lines up with the plus."""
    return text.replace("-", "\N{MINUS SIGN}")
