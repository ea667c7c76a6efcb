"""The extension `io.modelcontextprotocol/tasks` for PyPI `mcp` 2.x: its result is claimed, then driven to its end."""

from typing import Any, Literal

import anyio
import mcp_types as types
from mcp.client.extension import ClaimContext, ClientExtension, ResultClaim
from mcp.client.session import ClientRequestContext

POLL_S = 0.01
"""How long to wait between polls where the server does not say."""


class CreateTaskResult(types.Result):
    result_type: Literal["task"]
    task_id: str
    status: str
    poll_interval_ms: int | None = None


class TaskParams(types.RequestParams):
    task_id: str


class GetTaskRequest(types.Request[TaskParams, Literal["tasks/get"]]):
    method: Literal["tasks/get"] = "tasks/get"
    name_param = "taskId"


class GetTaskResult(types.Result):
    status: str
    poll_interval_ms: int | None = None
    input_requests: types.InputRequests | None = None
    result: dict[str, Any] | None = None
    error: dict[str, Any] | None = None


class UpdateTaskParams(TaskParams):
    input_responses: dict[str, Any]


class UpdateTaskRequest(types.Request[UpdateTaskParams, Literal["tasks/update"]]):
    method: Literal["tasks/update"] = "tasks/update"
    name_param = "taskId"


class Tasks(ClientExtension):
    identifier = "io.modelcontextprotocol/tasks"

    def __init__(self) -> None:
        self.seen: list[str] = []
        """The statuses that the last task was seen in."""

    def claims(self) -> list[ResultClaim[Any]]:
        return [ResultClaim(result_type="task", model=CreateTaskResult, resolve=self.drive)]

    async def drive(self, created: CreateTaskResult, context: ClaimContext) -> types.CallToolResult:
        session = context.session
        self.seen = ["task", created.status]
        answered: set[str] = set()
        interval = created.poll_interval_ms
        while True:
            request = GetTaskRequest(params=TaskParams(task_id=created.task_id))
            task = await session.send_request(request, GetTaskResult)
            self.seen.append(task.status)
            if task.status == "completed":
                return types.CallToolResult.model_validate(task.result, by_name=False)
            assert task.status in ("working", "input_required"), f"the task ended as {task}"
            responses: dict[str, Any] = {}
            for key, asked in (task.input_requests or {}).items():
                if key not in answered:
                    answered.add(key)
                    asker = ClientRequestContext(session=session, request_id=key)
                    response = await session.dispatch_input_request(asker, asked)
                    responses[key] = response.model_dump(by_alias=True, mode="json", exclude_none=True)
            if responses:
                params = UpdateTaskParams(task_id=created.task_id, input_responses=responses)
                await session.send_request(UpdateTaskRequest(params=params), types.EmptyResult)
            interval = task.poll_interval_ms if task.poll_interval_ms is not None else interval
            await anyio.sleep(POLL_S if interval is None else interval / 1000)
