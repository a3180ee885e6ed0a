"""The board without a page: what it ranks, how verdicts change it, and what it refuses."""

import threading

import numpy as np
import pandas as pd
import pytest

from tsbench.detect import PatternDetector
from tsbench.errors import BadInput, NotFound
from tsbench.lab import PatternDesigner, ranking, teaching
from tsbench.lab.ranking import Companies
from tsbench.patterns import Channel, Pattern, library

pytestmark = pytest.mark.usefixtures("small_detectors")

DIP = Pattern("dip", (Channel("roic", ((0, 1), (0.5, 0), (1, 1))),), length=(8, 14), prominence=3.0)


@pytest.fixture(scope="module")
def panel(companies):
    return companies.series_of(frequency="quarterly")


@pytest.fixture(autouse=True)
def few_surrogates(monkeypatch):
    """Coarser odds in less time."""
    monkeypatch.setattr(teaching, "SURROGATES", 1_000)
    monkeypatch.setattr(teaching, "PREVIEW", 500)


@pytest.fixture
def board(panel):
    made = PatternDesigner(panel, pattern=DIP)
    yield made
    made.close()


def drawn(board, moving=False, **spec):
    """As the page tells of a drawing, at rest or while a corner moves."""
    told = {"do": "draw", "serial": 7, "spec": {**board.spec, **spec}, "where": board.where, "moving": moving}
    board._heard(board, told, [])
    board.wait(30)


def told(board, **message):
    """As the page tells of a button, and all that follows."""
    board._heard(board, message, [])
    board.wait(60)


def card(board, place):
    """What the page sends of a card."""
    return {name: board.found["cards"][place][name] for name in ("entity", "channels", "first", "last", "score")}


def said(board, place, verdict):
    return {"do": "judge", "pattern": board.found["pattern"], "verdict": verdict, **card(board, place)}


@pytest.mark.parametrize("where", ["now", "history", "forming"])
@pytest.mark.parametrize("name", ["dip_recovery", "overlooked", "step_up"])
def test_the_ranking_is_that_of_an_untrained_detector(panel, name, where):
    board = PatternDesigner(panel, pattern=name, where=where, top=10)
    detector = PatternDetector(library()[name], trained=False, surrogates=500).fit(panel)
    found = detector.find(panel, where=where, per_entity=1).head(10)
    assert list(board.matches["entity"]) == list(found["entity"])
    np.testing.assert_allclose(board.matches["score"], found["score"], atol=1e-12)
    board.close()


def test_a_preview_of_many_companies_is_nearly_the_whole_search(monkeypatch, panel):
    """Every third scale, then all scales of the best: most of the first twenty, and never a better score."""
    companies = Companies(panel)
    whole = companies.rank(library()["s_curve"], top=20).table.set_index("entity")["score"]
    monkeypatch.setattr(ranking, "MANY", 100)
    quick = companies.rank(library()["s_curve"], top=20, preview=True).table.set_index("entity")["score"]
    both = whole.index.intersection(quick.index)
    assert len(both) >= 14
    assert (quick[both] <= whole[both] + 1e-12).all()


def test_a_drawing_is_answered_with_its_number(board):
    before = board.matches
    drawn(board, channels=[{"expression": "roic", "points": [[0, 0], [1, 1]]}])
    assert board.found["serial"] == 7
    assert not board.matches.equals(before)


def test_a_card_shows_the_stretch_the_drawing_and_the_context(board):
    card = board.found["cards"][0]
    (lane,) = card["lanes"]
    assert lane["title"] == "return on capital"
    assert lane["low"].endswith("%")
    assert lane["high"].endswith("%")
    assert len(lane["drawn"]) == lane["count"] == len(lane["line"][lane["first"] : lane["first"] + lane["count"]])
    heights = [h for h in [*lane["line"], *lane["drawn"]] if h is not None]
    assert (min(heights), max(heights)) == (0, 1000)
    match = board.matches.iloc[0]
    assert (card["entity"], card["start"], card["end"]) == (
        match["entity"], f"{match['start']:%Y-%m}", f"{match['end']:%Y-%m}",
    )  # fmt: skip


def test_training_adds_p_and_q_until_the_drawing_changes(board):
    assert "q_value" not in board.matches
    board.train()
    board.wait(30)
    assert board.found["by"] == "odds"
    assert board.matches["p_value"].is_monotonic_increasing
    drawn(board, length=[8, 20])
    assert "q_value" not in board.matches


def test_the_odds_are_those_of_the_detector(board, panel):
    detector = board.train()
    table = detector.scan(panel, where="history").set_index("entity")
    shown = board.matches.set_index("entity")
    pd.testing.assert_frame_equal(shown[["p_value", "q_value"]], table.loc[shown.index, ["p_value", "q_value"]])


def test_a_rejected_look_falls(board):
    """Rejecting the first five teaches: fewer like them stand first, and what was said is shown and counted."""
    board.train()
    before = list(board.matches["entity"][:5])
    for place in range(5):
        board.judge(place, "reject")
    board.wait(30)
    assert board.found["said"] == {"accept": 0, "reject": 5, "unsure": 0}
    assert [card["verdict"] for card in board.found["cards"][:5]] == ["reject"] * 5
    board.train(preview=True)
    assert list(board.matches["entity"][:5]) != before
    assert len(board.labels) == 5


def test_the_first_verdict_trains_and_unsure_does_not(board):
    told(board, **said(board, 3, "unsure"))
    assert list(board.labels["verdict"]) == ["unsure"]
    assert "q_value" not in board.matches
    told(board, **said(board, 0, "accept"))
    assert board.status["text"].startswith("learnt from 1 verdict ")
    assert "q_value" in board.matches


def test_verdicts_said_quickly_are_all_kept_and_mean_what_was_seen(board):
    """While the first trains the ranking changes under the others: they are about the cards that were shown."""
    messages = [said(board, place, verdict) for place, verdict in enumerate(["accept", "reject", "reject", "accept"])]
    for message in messages:
        board._heard(board, message, [])
    board.wait(60)
    kept = dict(zip(board.labels["entity"], board.labels["verdict"], strict=True))
    assert kept == {message["entity"]: message["verdict"] for message in messages}
    assert board.status["text"].startswith("learnt from 4 verdicts")


def test_verdicts_on_other_channels_do_not_stand_in_the_way(panel):
    board = PatternDesigner(panel, pattern=DIP)
    board.judge(0, "accept")
    drawn(board, channels=[{"expression": "log(revenue)", "points": [[0, 1], [0.5, 0], [1, 1]]}])
    board.spec = {**board.spec, "channels": [{"expression": "log(revenue)", "points": [[0, 1], [0.5, 0], [1, 1]]}]}
    board.train()
    board.wait(30)
    assert board.found["by"] == "odds"
    assert board._teacher.learnt == 0
    board.close()


def test_the_unit_of_the_points_is_no_other_drawing(board):
    board.train()
    drawn(board, channels=[{"expression": "roic", "points": [[0, 30], [0.5, 10], [1, 30]]}])
    assert board.found["by"] == "odds"


def test_a_stretch_becomes_the_pattern_and_is_left_out_of_its_own_ranking(board):
    first = board.matches.iloc[0]
    told(board, do="example", **card(board, 0))
    assert board.pattern.example == first["entity"]
    assert first["entity"] not in set(board.matches["entity"])
    assert board.found["where"] == "history"


def test_a_preset_comes_onto_the_board(board):
    told(board, do="preset", name="s_curve")
    assert board.pattern == library()["s_curve"]
    assert board._ranked().pattern == library()["s_curve"]


def test_training_can_be_cancelled_and_what_was_there_stays(board):
    before, busy = board.matches, threading.Event()
    board.observe(lambda change: busy.set() if change["new"]["done"] else None, "status")
    board._heard(board, {"do": "train"}, [])
    assert busy.wait(30)
    told(board, do="cancel")
    assert board.status["text"].startswith("cancelled")
    assert not board.status["busy"]
    pd.testing.assert_frame_equal(board.matches, before)
    told(board, do="cancel")  # nothing to cancel: what comes next is not hit by it
    board.train()
    assert "q_value" in board.matches


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"channels": [{"expression": "nonsense(", "points": [[0, 0], [1, 1]]}]}, "nonsense"),
        ({"channels": [{"expression": "profit", "points": [[0, 0], [1, 1]]}]}, "profit"),
        ({"length": [9, 4]}, "length"),
    ],
)
def test_a_drawing_that_cannot_be_looked_for_is_told_and_loses_nothing(board, spec, message):
    before = board.found
    drawn(board, **spec)
    assert message in board.found["trouble"]
    assert board.found["cards"] == before["cards"]
    with pytest.raises(BadInput, match=message.replace("(", "[(]")):
        board.matches  # noqa: B018  the answer to another drawing would be no answer
    drawn(board)
    assert not board.found["trouble"]
    assert board.found["cards"] == before["cards"]


def test_a_panel_has_no_place_to_save(board):
    told(board, do="save")
    assert board.status["failed"]
    assert "Store" in board.status["text"]


def test_strange_arguments_are_refused(panel):
    with pytest.raises(NotFound, match="dip_recovery"):
        PatternDesigner(panel, pattern="dip_recovry")
    with pytest.raises(BadInput, match="where"):
        PatternDesigner(panel, where="then")
    with pytest.raises(NotFound, match="close"):
        PatternDesigner(panel, pattern="double_top")


def test_the_static_page_holds_every_match(board):
    page = board.to_static()
    assert all(card["name"].replace("&", "&amp;").replace("'", "&#x27;") in page for card in board.found["cards"])
    assert "<script" not in page
    assert board._repr_mimebundle_()[0]["text/html"] == page


def test_on_a_store_the_board_saves_scans_and_keeps_verdicts(companies):
    """The scan of the board is the scan of the command line: kept, and found under its name."""
    board = PatternDesigner(companies, pattern=DIP)
    board.judge(0, "accept")
    assert list(companies.labels.of("dip")["entity"]) == [board.matches["entity"][0]]
    again = PatternDesigner(companies, pattern=DIP)
    assert again.found["cards"][0]["verdict"] == "accept"
    again.close()
    told(board, do="train")
    told(board, do="save")
    assert board.status["text"].startswith("saved")
    version, _ = companies.registry.get("dip")
    assert version.version == 1
    assert version.metrics["needed_score"]
    told(board, do="scan")
    assert board.status["text"].startswith("scan dip-")
    assert companies.drawings.count("dip") == 1
    drawn(board, length=[8, 13], moving=True)
    assert companies.drawings.count("dip") == 1
    drawn(board, length=[8, 15])
    assert companies.drawings.count("dip") == board.found["tried"] == 2
    assert len(companies.scans.list("dip")) == 1
    board.close()
