import pathlib
import re
import unittest

import toolcell
from toolcell import Plugin

README = pathlib.Path(__file__).parent.parent / "README.md"


class Readme(unittest.TestCase):
    def test_its_complete_examples_run(self) -> None:
        blocks = re.findall(r"```python\n(.*?)```", README.read_text("utf-8"), re.DOTALL)
        complete = [block for block in blocks if "…" not in block and "import app" not in block]
        self.assertGreaterEqual(len(complete), 3)
        for block in complete:
            plugin = Plugin()
            names = {"tool", "resource", "prompt", "complete", "list_resources"}
            # Each into a plugin of its own.
            kept = {name: getattr(toolcell, name) for name in names}
            try:
                for name in names:
                    setattr(toolcell, name, getattr(plugin, name))
                exec(compile(block, str(README), "exec"), {"__name__": "readme"})
            finally:
                for name, value in kept.items():
                    setattr(toolcell, name, value)
            plugin.check()
            self.assertTrue(plugin.tools or plugin.resources)


if __name__ == "__main__":
    unittest.main()
