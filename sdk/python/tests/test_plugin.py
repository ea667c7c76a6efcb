import contextlib
import enum
import io
import unittest
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from toolcell import (
    Cache,
    Field,
    Image,
    InvalidArguments,
    Message,
    NotFound,
    Plugin,
    ResourceContents,
    ResourceInfo,
    Text,
    ToolError,
    ToolResult,
    ask,
    changes,
    context,
    http,
    key_value,
    log,
    peers,
    progress,
)
from toolcell.testing import Cell, InputRequired, cancel, decline, failed
from toolcell.uri import Template


class Style(enum.Enum):
    SHORT = "short"
    LONG = "long"


class Tools(unittest.TestCase):
    def test_what_is_returned_becomes_a_result(self) -> None:
        plugin = Plugin()
        picture = Image(b"\x89PNG", "image/png")
        returned: list[tuple[Any, str, Any]] = [
            ("hi", "hi", None),
            (None, "", None),
            (picture, "", None),
            (["see", picture], "see", None),
            (ToolResult("a", "b"), "a\nb", None),
            ({"a": [1]}, '{"a":[1]}', {"a": [1]}),
            (ToolResult(structured={"a": 1}), '{"a":1}', {"a": 1}),
        ]
        for number, (value, text, structured) in enumerate(returned):

            def function() -> Any:
                return value

            plugin.tool(name=f"t{number}")(function)
            result = Cell(plugin).call(f"t{number}")
            self.assertEqual((result.text, result.structured), (text, structured))

    def test_an_exception_nobody_expected_is_an_error_for_the_model_and_a_traceback_for_the_log(self) -> None:
        plugin = Plugin()

        @plugin.tool
        def divide(a: int, b: int) -> int:
            return a // b

        log = io.StringIO()
        with contextlib.redirect_stderr(log):
            result = Cell(plugin).call("divide", {"a": 1, "b": 0})
        self.assertTrue(result.is_error)
        self.assertIn("divide failed: ZeroDivisionError: ", result.text)
        self.assertIn("return a // b", log.getvalue())
        self.assertNotIn("toolcell/plugin.py", log.getvalue())

    def test_a_program_that_exits_ends_its_call_only(self) -> None:
        plugin = Plugin()

        @plugin.tool
        def leave() -> None:
            raise SystemExit(3)

        with contextlib.redirect_stderr(io.StringIO()):
            self.assertEqual(Cell(plugin).call("leave").text, "leave failed: SystemExit: 3")

    def test_kinds_of_errors_fail_the_call_and_others_are_results(self) -> None:
        plugin = Plugin()

        @plugin.tool
        def fail(how: str) -> None:
            raise NotFound("gone") if how == "kind" else ToolError("tried")

        self.assertTrue(Cell(plugin).call("fail", {"how": ""}).is_error)
        for arguments, kind in (({"how": "kind"}, NotFound), ({}, InvalidArguments), ({"how": "", "x": 1}, InvalidArguments)):
            with self.assertRaises(kind):
                Cell(plugin).call("fail", arguments)
        with self.assertRaises(NotFound):
            Cell(plugin).call("no such tool")

    def test_hints_task_page_and_meta_are_listed(self) -> None:
        plugin = Plugin()

        @plugin.tool(title="T", destructive=False, task="optional", ui="ui://a/b", meta={"x": 1})
        def t() -> None:
            """Does."""

        [tool] = Cell(plugin).tools()
        self.assertEqual(tool["hints"], {"destructive": False})
        self.assertEqual(tool["meta"], {"x": 1, "io.toolcell/task": "optional", "ui": {"resourceUri": "ui://a/b"}})


@dataclass
class Login:
    """Who it is."""

    name: Annotated[str, Field(title="Name", max_length=10)]
    style: Literal["short", "long"] = "short"


class Questions(unittest.TestCase):
    def setUp(self) -> None:
        plugin = Plugin()
        self.ran: list[str] = []

        @plugin.tool
        def greet() -> str:
            self.ran.append("start")
            number = ask.once("number", lambda: self.ran.append("once") or 7)
            login = ask.form("Who are you?", Login, key="login")
            if not login.accepted:
                return f"{login.action}: nobody"
            model, roots = ask.together(
                ask.asking_sample("A greeting?", system="Be brief.", key="model"), ask.asking_roots(key="roots")
            )
            return f"{model.text} {login.value.name} {number} {roots[0].uri}"

        self.cell = Cell(plugin)

    def test_answers_of_earlier_rounds_are_remembered(self) -> None:
        sampled = {"role": "assistant", "content": {"type": "text", "text": "Hello"}, "model": "m"}
        answers = {"login": {"name": "Ada"}, "model": sampled, "roots": [{"uri": "file:///a"}]}
        self.assertEqual(self.cell.call("greet", answers=answers).text, "Hello Ada 7 file:///a")
        self.assertEqual(self.ran, ["start", "once", "start", "start"])

    def test_what_is_asked_is_what_the_protocol_knows(self) -> None:
        with self.assertRaises(InputRequired) as asked:
            self.cell.call("greet")
        [question] = asked.exception.questions
        self.assertEqual(
            question.params["schema"],
            {
                "type": "object",
                "properties": {
                    "name": {"type": "string", "title": "Name", "maxLength": 10},
                    "style": {"type": "string", "enum": ["short", "long"], "default": "short"},
                },
                "required": ["name"],
            },
        )
        with self.assertRaises(InputRequired) as asked:
            self.cell.call("greet", answers={"login": {"name": "Ada"}})
        self.assertEqual([question.key for question in asked.exception.questions], ["model", "roots"])
        self.assertEqual(asked.exception.questions[0].params["systemPrompt"], "Be brief.")

    def test_people_and_clients_may_say_no(self) -> None:
        for answer, expected in ((decline, "decline: nobody"), (cancel, "cancel: nobody")):
            self.assertEqual(self.cell.call("greet", answers={"login": answer}).text, expected)
        result = self.cell.call("greet", answers={"login": failed("no screen")})
        self.assertTrue(result.is_error and "no screen" in result.text)

    def test_a_form_is_flat(self) -> None:
        plugin = Plugin()

        @dataclass
        class Nested:
            login: Login

        @plugin.tool
        def t() -> str:
            return str(ask.form("?", Nested))

        with contextlib.redirect_stderr(io.StringIO()):
            self.assertIn("a form has fields of text", Cell(plugin).call("t").text)


class Offers(unittest.TestCase):
    def setUp(self) -> None:
        self.plugin = plugin = Plugin(cache=Cache(60))

        @plugin.resource("config://app", mime_type="application/json", cache=Cache(5, "public"))
        def config() -> str:
            """The settings."""
            return "{}"

        @plugin.resource("note://{folder}/{number}{?style}")
        def note(folder: str, number: int, style: Style = Style.SHORT) -> str | None:
            """A note."""
            return f"{folder} {number} {style.value}" if number < 10 else None

        @plugin.resource("file:///{+path}")
        def file(path: str) -> bytes:
            return path.encode()

        @plugin.list_resources
        def notes() -> list[ResourceInfo]:
            return [ResourceInfo("note://a/1", "first")]

        @plugin.prompt
        def review(language: str, style: Style, most: int = 10) -> list[Message]:
            """Asks for a review.

            Args:
                language: The language the code is in.
            """
            return [Message(f"Review this {language}, {most} remarks, {style.value}."), Message("Yes.", role="assistant")]

        @plugin.complete(prompt="review", argument="language")
        def languages(typed: str, settled: dict[str, str]) -> list[str]:
            return ["python", "perl", "rust", settled.get("style", "")]

        self.cell = Cell(plugin)

    def body(self, uri: str) -> str | bytes:
        return self.cell.read(uri).contents[0].body

    def test_resources_are_listed_and_read(self) -> None:
        self.assertEqual([info.uri for info in self.cell.resources()], ["config://app", "note://a/1"])
        self.assertEqual(self.cell.templates(), ["note://{folder}/{number}{?style}", "file:///{+path}"])
        config = self.cell.read("config://app")
        self.assertEqual((config.cache, config.contents[0]), (Cache(5, "public"), ResourceContents("config://app", "{}", "application/json")))
        self.assertEqual(self.body("note://a%20b/3?style=long"), "a b 3 long")
        self.assertEqual(self.body("note://a/3"), "a 3 short")
        self.assertEqual(self.body("file:///a/b.txt"), b"a/b.txt")
        for uri in ("note://a/x", "note://a/99", "note://a/3?style=none", "note://a/3?other=1", "nothing://"):
            with self.assertRaises(NotFound):
                self.cell.read(uri)

    def test_prompts_take_text(self) -> None:
        result = self.cell.prompt("review", {"language": "rust", "style": "long", "most": "3"})
        self.assertEqual([message.role for message in result.messages], ["user", "assistant"])
        self.assertEqual(result.messages[0].content, "Review this rust, 3 remarks, long.")
        for arguments in ({"language": "rust"}, {"language": "x", "style": "no"}, {"language": "x", "style": "long", "z": "1"}):
            with self.assertRaises(InvalidArguments):
                self.cell.prompt("review", arguments)

    def test_arguments_are_completed(self) -> None:
        self.assertEqual(self.cell.complete("language", "p", prompt="review").values, ["python", "perl"])
        settled = {"style": "plain"}
        self.assertEqual(self.cell.complete("language", "pl", prompt="review", settled=settled).values, ["plain"])
        self.assertEqual(self.cell.complete("style", prompt="review").values, ["short", "long"])
        self.assertEqual(self.cell.complete("style", "l", resource="note://{folder}/{number}{?style}").values, ["long"])
        self.assertEqual(self.cell.complete("most", prompt="review").values, [])

    def test_what_does_not_fit_together_is_refused(self) -> None:
        with self.assertRaises(TypeError):
            self.plugin.resource("x://{id}")(lambda: None)
        self.plugin.complete(prompt="gone", argument="x")(lambda: [])
        with self.assertRaises(TypeError):
            Cell(self.plugin)


class Uris(unittest.TestCase):
    def test_templates_are_read_backwards(self) -> None:
        cases = [
            ("a://{x}", "a://b%2Fc", {"x": "b/c"}),
            ("a://{x}", "a://b/c", None),
            ("a://{x}/{y}", "a://b/c", {"x": "b", "y": "c"}),
            ("a://{+x}", "a://b/c?d", {"x": "b/c?d"}),
            ("a://b{/x}", "a://b", {}),
            ("a://b{/x}", "a://b/c", {"x": "c"}),
            ("a://b{.x}", "a://b.txt", {"x": "txt"}),
            ("a://b{?x,y}", "a://b?y=1", {"y": "1"}),
            ("a://b{;x}", "a://b;x=1", {"x": "1"}),
            ("a://b{#x}", "a://b#c", {"x": "c"}),
            ("a.b://{x}", "aXb://c", None),
        ]
        for template, uri, expected in cases:
            self.assertEqual(Template(template).variables(uri), expected, (template, uri))
        for wrong in ("a://{", "a://{x}{x}", "a://{1}", "a://}{x}", "a://b"):
            with self.assertRaises(ValueError):
                Template(wrong)


class Host(unittest.TestCase):
    def run_in_cell(self, function: Any) -> Cell:
        plugin = Plugin()
        plugin.tool(name="run")(function)
        self.cell = Cell(plugin)
        self.cell.context = context.Context(caller=context.Caller("ada"), abilities=context.Abilities(form=True))
        self.cell.peers["add"] = lambda a, b: {"sum": a + b}
        self.cell.http.reply("https://a.example/x", headers={"Location": "/y", "X-A": "1"}, status=302)
        self.cell.http.reply("https://a.example/y?q=1+2", '{"a":"ü"}', headers={"content-type": "application/json"})
        self.cell.http.reply("https://a.example/y", "ok")
        self.cell.http.reply("https://a.example/post", status=201)
        result = self.cell.call("run")
        self.assertFalse(result.is_error, result.text)
        return self.cell

    def test_reports_reach_the_host(self) -> None:
        def run() -> None:
            progress.report(1, 2, "half")
            log.info("text")
            log.write("warning", {"a": 1}, logger="part")
            changes.resource_updated("note://1")
            changes.tools_changed()
            self.assertEqual(context.current().caller, context.Caller("ada"))
            self.assertTrue(context.current().abilities.form and not context.is_cancelled())

        cell = self.run_in_cell(run)
        self.assertEqual(cell.progress, [(1, 2, "half")])
        self.assertEqual(cell.logs, [("info", None, "text"), ("warning", "part", {"a": 1})])
        self.assertEqual(cell.changes, ["note://1", "tools"])

    def test_values_are_kept_and_changed_in_one_step(self) -> None:
        def run() -> None:
            key_value.set("a", "1")
            key_value.set_json("b", {"x": 1})
            self.assertEqual((key_value.get("a"), key_value.get_json("b"), key_value.get_json("c", 0)), (b"1", {"x": 1}, 0))
            self.cell.key_value.interrupt = lambda: self.cell.key_value.set("a", b"5")
            self.assertEqual(key_value.update("a", lambda old: str(int(old or 0) + 1)), b"6")
            with self.assertRaises(key_value.Conflict) as conflict:
                key_value.compare_and_set("a", None, "x")
            self.assertEqual(conflict.exception.current, b"6")
            key_value.delete("a")
            for number in range(250):
                key_value.set(f"n/{number:03}", "")
            self.assertEqual(len(list(key_value.keys("n/"))), 250)

        self.run_in_cell(run)

    def test_other_tools_are_called(self) -> None:
        def run() -> None:
            self.assertEqual(peers.call("add", {"a": 1, "b": 2}).structured, {"sum": 3})
            with self.assertRaises(peers.UnknownTool):
                peers.call("subtract")

        self.run_in_cell(run)

    def test_requests_are_sent(self) -> None:
        def run() -> None:
            response = http.get("https://a.example/x", headers={"authorization": "s"})
            self.assertEqual((response.status, response.text), (200, "ok"))
            self.assertEqual(http.get("https://a.example/x", redirects=0).headers["x-a"], "1")
            self.assertEqual(http.get("https://a.example/y", params={"q": "1 2"}).json(), {"a": "ü"})
            self.assertEqual(http.post("https://a.example/post", json={"a": 1}).status, 201)
            with self.assertRaises(http.Refused):
                http.get("https://elsewhere.example/")
            for url in ("ftp://a", "a.example", "https://u:p@a.example/", "https://a:b/"):
                with self.assertRaises(http.HttpError):
                    http.get(url)
            with self.assertRaises(http.HttpError):
                http.get("https://a.example/y").json()
            with self.assertRaises(http.HttpError):
                http.get("https://a.example/y", max_bytes=1)

        sent = self.run_in_cell(run).http.sent
        self.assertEqual(sent[1].headers, {"authorization": "s"})
        [posted] = [request for request in sent if request.method == "POST"]
        self.assertEqual((posted.body, posted.headers), (b'{"a":1}', {"content-type": "application/json"}))

    def test_credentials_stay_with_their_origin(self) -> None:
        asked = http.Request("POST", "https://a.example/d/p", {"Authorization": "s", "Content-Type": "t", "accept": "*"}, b"x")
        cases = [
            (302, "/b", "GET", {"Authorization", "accept"}),
            (307, "https://a.example:443/b", "POST", {"Authorization", "Content-Type", "accept"}),
            (307, "http://a.example/b", "POST", {"Content-Type", "accept"}),
            (303, "//b.example/", "GET", {"accept"}),
        ]
        for status, location, method, headers in cases:
            following = http._redirected(asked, status, location)
            self.assertEqual((following.method, set(following.headers)), (method, headers), location)

    def test_outside_of_a_cell_there_is_no_host(self) -> None:
        for use in (lambda: key_value.get("a"), lambda: ask.roots()):
            with self.assertRaisesRegex(RuntimeError, "toolcell.testing.Cell"):
                use()


class Texts(unittest.TestCase):
    def test_text_blocks_keep_what_is_said_of_them(self) -> None:
        self.assertEqual(ToolResult(Text("a", meta={"x": 1})).content[0].meta, {"x": 1})
        with self.assertRaises(TypeError):
            ToolResult(3)  # type: ignore[arg-type]


if __name__ == "__main__":
    unittest.main()
