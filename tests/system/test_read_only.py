"""Lists, tables and arrays that plugins share cannot be changed, and say so in their author's words."""

from __future__ import annotations

import copy
import json
import operator
import pickle
import random

import numpy as np
import pytest

from harness.system.read_only import FrozenDict, FrozenError, FrozenList, frozen, read_only

CHANGES = {
    "append": lambda values: values.append(1),
    "extend": lambda values: values.extend([1]),
    "insert": lambda values: values.insert(0, 1),
    "remove": lambda values: values.remove(3),
    "pop": lambda values: values.pop(),
    "clear": lambda values: values.clear(),
    "sort": lambda values: values.sort(key=str, reverse=True),
    "reverse": lambda values: values.reverse(),
    "set": lambda values: operator.setitem(values, 0, 1),
    "set a slice": lambda values: operator.setitem(values, slice(1), [1]),
    "delete": lambda values: operator.delitem(values, 0),
    "add": lambda values: operator.iadd(values, [1]),
    "multiply": lambda values: operator.imul(values, 2),
    "shuffle": random.shuffle,
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_frozen_list_cannot_be_changed(change):
    values = FrozenList([3, 1, 2], "column 'gold' of the dataset")
    with pytest.raises(FrozenError, match=r"^column 'gold' of the dataset cannot be changed"):
        change(values)
    assert values == [3, 1, 2]


def test_every_method_that_changes_a_list_or_a_dict_is_refused():
    for kind, plain in ((FrozenList, list), (FrozenDict, dict)):
        changing = {name for name in vars(plain) if name not in vars(kind)} - {"fromkeys", "__init__"}
        reading = set(dir(tuple)) | set(dir(frozenset)) | {"copy", "keys", "values", "items", "get"}
        assert changing <= reading | {"__reversed__", "__or__", "__ror__"}


def test_a_frozen_list_is_a_list_for_all_that_reads_it():
    values = FrozenList(["b", "a"])
    assert values == ["b", "a"]
    assert isinstance(values, list)
    assert sorted(values) == ["a", "b"]
    assert type(values[:1]) is type(values.__add__(["c"])) is type(values.copy()) is list
    assert json.dumps(values) == '["b", "a"]'
    assert pickle.loads(pickle.dumps(values)) == copy.deepcopy(values) == values
    table = FrozenDict({"a": values})
    assert pickle.loads(pickle.dumps(table)) == copy.deepcopy(table) == {"a": values}
    assert np.array([1.0, 2.0, 3.0])[FrozenList([2, 0])].tolist() == [3.0, 1.0]


def test_what_is_in_cells_cannot_be_changed_either():
    cells = frozen([["a", ["b"]], {"c": [1]}, (["d"],), np.zeros(2)], "x")
    for values in (cells[0], cells[0][1], cells[1]["c"], cells[2][0]):
        with pytest.raises(FrozenError, match="cannot be changed"):
            values.append(0)
    with pytest.raises(FrozenError, match="cannot be changed"):
        cells[1]["c"] = 0
    with pytest.raises(ValueError, match="read-only"):
        cells[3][0] = 1


def test_the_list_that_was_given_stays_its_owners():
    given = [[1], [2]]
    column = frozen(given, "x")
    given[0].append(9)
    given.append([3])
    assert column == [[1], [2]]


@pytest.mark.parametrize(
    "values",
    [np.arange(6.0).reshape(2, 3), np.arange(4)[::2], np.array(["a", "bc"]), np.array([True, False])],
)
def test_an_array_of_a_column_cannot_be_written_nor_made_writable(values):
    column = frozen(values, "x")
    assert column.tolist() == values.tolist()
    assert column.dtype == values.dtype
    assert not np.shares_memory(column, values)
    with pytest.raises(ValueError, match="read-only"):
        column[0] = values[0]
    with pytest.raises(ValueError, match="cannot set WRITEABLE"):
        column.flags.writeable = True


def test_arrays_of_objects_and_of_dates_are_read_only():
    cells = np.empty(2, dtype=object)
    cells[:] = [[1], [2]]
    for column in (frozen(cells, "x"), frozen(np.array(["2026-01-01"], dtype="datetime64[D]"), "x")):
        with pytest.raises(ValueError, match="read-only"):
            column[0] = 0
    with pytest.raises(FrozenError, match="cannot be changed"):
        frozen(cells, "x")[0].append(1)


def test_a_read_only_view_shares_its_memory_and_hides_the_array_that_owns_it():
    block = np.zeros((4, 2), dtype=np.float32)
    view = read_only(block[1:3])
    assert np.shares_memory(view, block)
    assert not isinstance(view.base, np.ndarray)
    with pytest.raises(ValueError, match="cannot set WRITEABLE"):
        view.flags.writeable = True
