import numpy as np
import pandas as pd
import pytest

from tsbench.report import judged


def matches(n=12):
    ends = pd.date_range("2010-03-31", periods=n, freq="QE", tz="UTC")
    return pd.DataFrame(
        {
            "entity": [f"E{i:02d}" for i in range(n)],
            "channels": [["roic"]] * n,
            "start": ends - pd.Timedelta(days=700),
            "end": ends,
            "p_value": np.linspace(0.01, 0.5, n),
            "score": 0.5,
        }
    )


def labels(table, verdicts):
    rows = table.head(len(verdicts))[["entity", "channels", "start", "end"]]
    return rows.assign(verdict=verdicts)


def test_the_sentence_counts_what_was_said_of_the_first_ten():
    table = matches()
    said = judged(table.sample(frac=1.0, random_state=1), labels(table, ["accept"] * 6 + ["reject"] * 2 + ["unsure"]))
    assert (said.precision.accepted, said.precision.rejected, said.precision.unsure) == (6, 2, 1)
    assert "accepted 6 and rejected 2, 1 unsure: 75% of those judged" in said.told
    assert said.precision.low < 0.75 < said.precision.high
    assert "What readers said" in said._repr_html_()


def test_a_verdict_on_another_stretch_of_the_company_does_not_count():
    table = matches()
    other = labels(table, ["accept"] * 3).assign(end=table["end"].head(3) + pd.Timedelta(days=90))
    assert "Nobody has judged" in judged(table, other).told


@pytest.mark.parametrize(("tried", "warned"), [(1, False), (4, True)])
def test_many_drawings_make_the_odds_exploratory(tried, warned):
    assert ("4 drawings" in judged(matches(), labels(matches(), []), tried).told) is warned


def test_matches_after_the_tenth_do_not_count():
    table = matches()
    late = labels(table.iloc[10:], ["reject", "reject"])
    assert judged(table, late).precision.rejected == 0
