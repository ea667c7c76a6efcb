import unittest

import app
from toolcell import InvalidArguments
from toolcell.testing import Cell, InputRequired, decline

URL = "https://lists.example/today.json"


class Todo(unittest.TestCase):
    def setUp(self) -> None:
        self.cell = Cell(app)

    def test_items_are_added_listed_and_completed(self) -> None:
        self.assertEqual(self.cell.call("list").text, "Nothing to do.")
        milk = self.cell.call("add", {"title": "Buy milk"})
        self.assertEqual(milk.text, "Added 1: Buy milk")
        self.assertEqual(milk.structured, {"id": 1, "title": "Buy milk", "done": False})
        self.cell.call("add", {"title": "Call Ada"})
        self.assertEqual(self.cell.call("complete", {"id": 1}).text, "Done 1: Buy milk")
        self.assertEqual(self.cell.call("list").text, "[ ] 2: Call Ada")
        self.assertEqual(self.cell.call("list", {"state": "done"}).text, "[x] 1: Buy milk")
        everything = self.cell.call("list", {"state": "all"})
        self.assertEqual(everything.text, "[x] 1: Buy milk\n[ ] 2: Call Ada")
        self.assertEqual((everything.structured["open"], everything.structured["done"]), (1, 1))

    def test_two_calls_at_once_never_get_the_same_number(self) -> None:
        self.cell.key_value.interrupt = lambda: app.create("in between")
        self.assertEqual(self.cell.call("add", {"title": "mine"}).structured["id"], 2)
        self.assertEqual(sorted(self.cell.key_value), ["item/0000000001", "item/0000000002", "next"])

    def test_a_number_that_is_not_there_says_what_to_do(self) -> None:
        result = self.cell.call("complete", {"id": 7})
        self.assertTrue(result.is_error)
        self.assertIn("there is no item 7; call list to see what there is", result.text)

    def test_titles_have_a_length(self) -> None:
        for title in ("", "x" * 201):
            with self.assertRaises(InvalidArguments):
                self.cell.call("add", {"title": title})

    def test_the_person_is_asked_before_anything_is_removed(self) -> None:
        self.assertEqual(self.cell.call("clear").text, "Nothing to remove.")
        for number in (1, 2, 3):
            self.cell.call("add", {"title": f"thing {number}"})
        for number in (1, 3):
            self.cell.call("complete", {"id": number})
        with self.assertRaises(InputRequired) as asked:
            self.cell.call("clear")
        question = asked.exception.questions[0]
        self.assertEqual((question.key, question.params["message"]), ("confirm", "Remove 2 items that are done?"))
        self.assertEqual(
            question.params["schema"],
            {
                "type": "object",
                "properties": {"remove": {"type": "boolean", "title": "Remove them"}},
                "required": ["remove"],
            },
        )
        for answer in (decline, {"remove": False}):
            self.assertEqual(self.cell.call("clear", answers={"confirm": answer}).text, "Nothing was removed.")
        removed = self.cell.call("clear", answers={"confirm": {"remove": True}})
        self.assertEqual((removed.text, removed.structured), ("Removed 2 items.", {"removed": 2}))
        self.assertEqual(self.cell.progress, [(1, 2, "Removed 1: thing 1"), (2, 2, "Removed 3: thing 3")])
        self.assertEqual(self.cell.call("list", {"state": "all"}).text, "[ ] 2: thing 2")

    def test_a_list_is_imported(self) -> None:
        self.cell.http.reply(URL, json=["one", "two"])
        result = self.cell.call("import", {"url": URL})
        self.assertEqual((result.text, result.structured), ("Added 2 items.", {"added": 2}))
        self.assertEqual(self.cell.progress[-1], (2, 2, "Added 2: two"))
        self.assertEqual(self.cell.logs, [("info", "todo", {"imported": 2, "url": URL})])

    def test_what_is_no_list_is_refused(self) -> None:
        self.cell.http.reply(URL, status=404)
        self.assertIn("answered 404", self.cell.call("import", {"url": URL}).text)
        for body in ("no JSON", '{"a":1}', "[1]", '[""]', '["' + "x" * 201 + '"]'):
            self.cell.http.reply(URL, body)
            result = self.cell.call("import", {"url": URL})
            self.assertTrue(result.is_error)
            self.assertIn("is no JSON array of titles", result.text)
        self.cell.http.fail(URL, "todo may not ask for https://lists.example: add it to hosts")
        self.assertIn("add it to hosts", self.cell.call("import", {"url": URL}).text)
        self.assertEqual(self.cell.key_value, {})

    def test_without_a_store_the_host_has_the_word(self) -> None:
        self.cell.key_value.granted = False
        self.assertIn("key-value = true", self.cell.call("list").text)


if __name__ == "__main__":
    unittest.main()
