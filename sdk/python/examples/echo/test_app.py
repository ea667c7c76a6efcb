import unittest

import app
from toolcell.testing import Cell


class Echo(unittest.TestCase):
    def test_it_says_back_what_it_is_told(self) -> None:
        for message in ("hello", "", "a\0b", "🦀 ü", "x" * 65536):
            self.assertEqual(Cell(app).call("echo", {"message": message}).text, message)


if __name__ == "__main__":
    unittest.main()
