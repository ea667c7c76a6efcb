import unittest
from typing import Any
from unittest import mock

import app
from toolcell import InvalidArguments, ToolResult, Unavailable
from toolcell.testing import Cell

URL = "http://deploy.internal:8080/v1/services/billing/deployments/production"
FOUND = {
    "service": "billing",
    "environment": "production",
    "version": "1.4.2",
    "status": "healthy",
    "updated_at": "2026-07-28T12:00:00Z",
}


class GetDeploymentStatus(unittest.TestCase):
    def setUp(self) -> None:
        self.cell = Cell(app)

    def ask(self, service: str = "billing", environment: str = "production") -> ToolResult[Any]:
        return self.cell.call("get-deployment-status", {"service": service, "environment": environment})

    def test_it_tells_what_runs(self) -> None:
        self.cell.http.reply(URL, json=FOUND)
        result = self.ask()
        self.assertEqual(result.structured, FOUND)
        self.assertEqual(
            result.text, "billing 1.4.2 runs and is healthy in production (as of 2026-07-28T12:00:00Z)."
        )

    def test_the_api_may_be_elsewhere(self) -> None:
        self.cell.http.reply(URL.replace("deploy.internal:8080", "127.0.0.1:9"), json=FOUND)
        with mock.patch.dict("os.environ", {"DEPLOY_API": "http://127.0.0.1:9/"}):
            self.assertFalse(self.ask().is_error)

    def test_failures_say_what_to_do(self) -> None:
        self.cell.http.reply(URL, status=404)
        result = self.ask()
        self.assertTrue(result.is_error)
        self.assertIn("billing is not deployed in production; check the service's name", result.text)
        self.cell.http.reply(URL, json={"status": "fine"})
        self.assertIn("is DEPLOY_API right?", self.ask().text)
        self.cell.http.fail(URL, "add hosts = […]")
        self.assertEqual(self.ask().text, "add hosts = […]")
        self.cell.http.reply(URL, status=503)
        with self.assertRaises(Unavailable):
            self.ask()

    def test_arguments_are_checked(self) -> None:
        for service, environment in (("Billing", "production"), ("../x", "staging"), ("billing", "moon")):
            with self.assertRaises(InvalidArguments):
                self.ask(service, environment)


if __name__ == "__main__":
    unittest.main()
