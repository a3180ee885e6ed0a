"""The section of README.md about the blind study, from what `resemblance.py count` wrote."""

from typing import Any

TEXT = """\
The best stretches of the shipped companies' history by three methods, ten each and one per company at most, for
{patterns} patterns of the library with one drawing over three channels: {stretches} distinct stretches. Judges:
{judges} ({who}). A sheet a pattern shows the drawing and, shuffled, every stretch from edge to edge without company,
unit or method; of each they said whether it looks like the drawing. Counted: stretches that more than half of the
judges call like it, with the 95 % interval of that share (Wilson). Methods: tsbench; the *dense net* of the planted
shapes, taught drawings against uniform noise, on every window; *correlation*, which is tsbench without its trained
judge. The first and the last keep the pattern's constraints and discount a low shape. *Agreement*: share of pairs of
judges that say the same of a stretch.

"""


def resemblance_table(results: dict[str, Any]) -> str:
    """The section in Markdown, without heading and stamp; `results` as under that name in results/resemblance.json."""
    total, patterns = results["total"], results["patterns"]
    text = TEXT.format(
        patterns=len(patterns), stretches=total["stretches"], judges=results["judges"], who=results["who"]
    )
    arms = list(total["arms"])
    text += _line(["pattern", "stretches", *arms, "agreement"]) + "|---" * (len(arms) + 3) + "|\n"
    for row in (*patterns, {"pattern": "all", **total}):
        shares = [f"{one['like']} of {one['of']} ({one['low']:.2f}-{one['high']:.2f})" for one in row["arms"].values()]
        agreement = "" if row["agreement"] is None else f"{row['agreement']:.2f}"
        text += _line([row["pattern"], str(row["stretches"]), *shares, agreement])
    if total["kappa"] is not None:
        text += f"\nAgreement above chance over all stretches (Fleiss' kappa): {total['kappa']:.2f}.\n"
    return text


def _line(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |\n"
