import json
import os
import tempfile
import unittest
from typing import Any

import app
import reading
from toolcell import ToolResult
from toolcell.testing import Cell

SALES = """region,year,amount,paid
north,2023,10.5,true
south,2024,20,false
north,2024,7,true
,2024,,
"""


class Tables(unittest.TestCase):
    def setUp(self) -> None:
        self.cell = Cell(app)
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.addCleanup(setattr, reading, "FOLDER", reading.FOLDER)
        reading.FOLDER = folder.name
        self.folder = folder.name

    def write(self, name: str, text: str) -> None:
        with open(os.path.join(self.folder, name), "w", encoding="utf-8") as file:
            file.write(text)

    def query(self, **arguments: Any) -> ToolResult[Any]:
        return self.cell.call("query_table", {"text": SALES} | arguments)

    def rows(self, **arguments: Any) -> list[list[Any]]:
        result = self.query(**arguments)
        self.assertFalse(result.is_error, result.text)
        return [list(row.values()) for row in result.structured["rows"]]

    def test_a_table_is_described(self) -> None:
        found = self.cell.call("describe_table", {"text": SALES}).structured
        self.assertEqual(found["rows"], 4)
        region, year, amount, paid = found["columns"]
        self.assertEqual((region["type"], region["empty"], region["distinct"]), ("text", 1, 2))
        self.assertEqual((year["minimum"], year["maximum"]), (2023, 2024))
        self.assertEqual((amount["type"], amount["mean"], amount["empty"]), ("number", 12.5, 1))
        self.assertEqual((paid["type"], paid["examples"]), ("boolean", [True, False]))

    def test_rows_are_filtered(self) -> None:
        cases = [
            ({"column": "year", "op": ">=", "value": 2024}, 3),
            ({"column": "year", "op": "=", "value": "2024"}, 3),
            ({"column": "amount", "op": "<", "value": "20"}, 2),
            ({"column": "region", "op": "contains", "value": "ORT"}, 2),
            ({"column": "region", "op": "starts_with", "value": "s"}, 1),
            ({"column": "region", "op": "in", "value": ["south", "west"]}, 1),
            ({"column": "region", "op": "is_empty"}, 1),
            ({"column": "region", "op": "not_empty"}, 3),
            ({"column": "paid", "op": "!=", "value": True}, 2),
        ]
        for condition, count in cases:
            self.assertEqual(len(self.rows(where=[condition])), count, condition)

    def test_rows_are_grouped_and_ordered(self) -> None:
        rows = self.rows(
            group_by=["region"],
            aggregate=[{"function": "sum", "column": "amount"}, {"function": "count"}],
            order_by=[{"column": "sum_amount", "descending": True}],
        )
        self.assertEqual(rows, [["south", 20, 1], ["north", 17.5, 2], [None, 0, 1]])
        functions = ("mean", "min", "max", "distinct", "count")
        rows = self.rows(aggregate=[{"function": function, "column": "amount"} for function in functions])
        self.assertEqual(rows, [[12.5, 7, 20, 3, 3]])

    def test_what_is_empty_comes_last_in_both_directions(self) -> None:
        for descending, expected in ((False, [7, 10.5, 20, None]), (True, [20, 10.5, 7, None])):
            rows = self.rows(select=["amount"], order_by=[{"column": "amount", "descending": descending}])
            self.assertEqual(rows, [[value] for value in expected])

    def test_pages_follow_each_other(self) -> None:
        first = self.query(limit=3, select=["year"])
        self.assertTrue(first.structured["more"])
        self.assertIn("offset 3", first.text)
        second = self.query(limit=3, offset=3, select=["year"])
        self.assertEqual((second.structured["more"], len(second.structured["rows"])), (False, 1))

    def test_formats_become_each_other(self) -> None:
        def convert(text: str, to: str) -> str:
            return self.cell.call("convert_table", {"text": text, "to": to}).text

        as_json = convert(SALES, "json")
        self.assertEqual(json.loads(as_json)[3], {"region": None, "year": 2024, "amount": None, "paid": None})
        self.assertEqual(convert(as_json, "csv"), SALES)
        lines = convert(SALES, "jsonl")
        self.assertEqual(len(lines.splitlines()), 4)
        self.assertEqual(convert(lines, "csv"), SALES)
        self.assertEqual(convert("a;b\n1;x|y\n", "markdown"), "| a | b |\n| --- | --- |\n| 1 | x\\|y |")
        self.assertEqual(convert('a\n"x\ny"\n', "tsv"), 'a\n"x\ny"\n')

    def test_cells_keep_what_a_number_would_lose(self) -> None:
        for text in ("007", "1e999", "+1", "1.", "0x1", "NaN"):
            self.assertEqual(reading.typed(text), text)
        self.assertEqual([reading.typed(text) for text in ("-1", "0.50", "true", "")], [-1, 0.5, True, None])

    def test_files_are_listed_and_read(self) -> None:
        self.write("sales.csv", SALES)
        self.write("notes.md", "no table")
        self.assertEqual(self.cell.call("list_files").text, f"sales.csv ({len(SALES)} bytes)")
        self.assertEqual(self.cell.call("describe_table", {"file": "sales.csv"}).structured["rows"], 4)

    def test_errors_say_what_to_do(self) -> None:
        self.write("data.parquet", "PAR1")
        cases = [
            ("describe_table", {}, "one of the two"),
            ("describe_table", {"file": "gone.csv"}, "list_files says what there is"),
            ("describe_table", {"file": "data.parquet"}, "say it in `format`"),
            ("describe_table", {"text": ""}, "has to name the columns"),
            ("describe_table", {"text": "[1", "format": "json"}, "no JSON"),
            ("describe_table", {"text": '{"a":1}\n{"a"\n', "format": "jsonl"}, "line 2"),
            ("query_table", {"text": SALES, "select": ["nothing"]}, "there are: region, year, amount, paid"),
            ("query_table", {"text": SALES, "where": [{"column": "year", "op": "in", "value": 1}]}, "needs a list"),
        ]
        for tool, arguments, expected in cases:
            result = self.cell.call(tool, arguments)
            self.assertTrue(result.is_error, arguments)
            self.assertIn(expected, result.text)
        reading.FOLDER = os.path.join(self.folder, "not granted")
        for tool, arguments in (("list_files", {}), ("describe_table", {"file": "a.csv"})):
            self.assertIn("read-only", self.cell.call(tool, arguments).text)


if __name__ == "__main__":
    unittest.main()
