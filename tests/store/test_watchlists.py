"""Watchlists: what is put comes back, in order, and only companies that are there."""

import pytest

from tsbench.errors import BadInput, NotFound


@pytest.fixture
def lists(companies):
    yield companies.watchlists
    for name in companies.watchlists.names():
        companies.watchlists.delete(name)


def test_a_list_keeps_its_order_and_each_company_once(lists):
    assert lists.put("mine", ["MSFT", "COST", "MSFT"]) == ["MSFT", "COST"]
    assert lists.get("mine") == ["MSFT", "COST"]


def test_putting_again_replaces(lists):
    lists.put("mine", ["MSFT"])
    lists.put("mine", "COST")
    assert lists.get("mine") == ["COST"]
    assert lists.names() == ["mine"]


def test_a_deleted_list_is_gone(lists):
    lists.put("mine", ["MSFT"])
    lists.delete("mine")
    with pytest.raises(NotFound, match="no watchlist 'mine'"):
        lists.get("mine")
    with pytest.raises(NotFound, match="no watchlist 'mine'"):
        lists.delete("mine")


def test_a_mistyped_name_is_answered_with_the_nearest(lists):
    lists.put("growers", ["MSFT"])
    with pytest.raises(NotFound, match="did you mean 'growers'"):
        lists.get("grower")


def test_an_unknown_company_leaves_the_list_as_it_was(lists):
    lists.put("mine", ["MSFT"])
    with pytest.raises(NotFound, match="'NOSUCH'"):
        lists.put("mine", ["COST", "NOSUCH"])
    assert lists.get("mine") == ["MSFT"]


@pytest.mark.parametrize(("name", "symbols"), [("", ["MSFT"]), ("  ", ["MSFT"]), ("mine", []), ("a\x00b", ["MSFT"])])
def test_a_list_needs_a_name_and_companies(lists, name, symbols):
    with pytest.raises(BadInput, match="needs a printable name and companies"):
        lists.put(name, symbols)
