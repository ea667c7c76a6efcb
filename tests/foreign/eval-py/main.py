"""Evaluates Python inside the cell."""

import contextlib
import io
import json

from componentize_py_types import Err
import wit_world


def said(error: BaseException) -> Err[str]:
    return Err(f"{type(error).__name__}: {error}" if str(error) else type(error).__name__)


class WitWorld(wit_world.WitWorld):
    def eval(self, expression: str) -> str:
        try:
            return json.dumps(eval(expression, {}))
        except Exception as error:
            raise said(error) from error

    def exec(self, statements: str) -> str:
        output = io.StringIO()
        try:
            with contextlib.redirect_stdout(output):
                exec(statements, {})
        except Exception as error:
            raise said(error) from error
        return output.getvalue()
