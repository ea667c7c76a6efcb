import unittest

import app
from toolcell.testing import Cell


class Tests(unittest.TestCase):
    def test_it_greets_by_name(self) -> None:
        self.assertTrue(Cell(app).call("greet", {"name": "Ada"}).text.endswith(", Ada!"))


if __name__ == "__main__":
    unittest.main()
