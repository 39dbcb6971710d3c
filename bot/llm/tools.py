"""PURE. The registry's commands as tools of a chat model, and a tool call as a command."""

import json
from collections.abc import Collection
from copy import deepcopy
from typing import Any

from pydantic import ValidationError

from bot.grammar.parse import Parsed
from core.commands.base import Command, Danger, registry
from core.domain.modes import Mode


class ToolError(Exception):
    """A call that is no command; the message goes back to the model."""


def tools(dangers: Collection[Danger]) -> list[dict[str, Any]]:
    """Schemas of the built commands of these dangers: strict, every field required, decimals as strings."""
    return [
        _schema(entry.command)
        for entry in registry().values()
        if entry.command.declaration.danger in dangers and entry.command.declaration.built
    ]


def _schema(command: type[Command]) -> dict[str, Any]:
    parameters = _strict(_inlined(command.model_json_schema(mode="serialization")))
    parameters["properties"]["mode"] = {
        "type": ["string", "null"],
        "enum": [Mode.PAPER.value, Mode.LIVE.value, None],
        "description": "Only when the user names it; null for the active mode.",
    }
    if command.declaration.name == "mode":
        del parameters["properties"]["mode"]
    parameters["required"] = list(parameters["properties"])
    return {
        "type": "function",
        "function": {
            "name": command.declaration.name,
            "description": f"{command.summary()} For example: {command.declaration.examples[0]}",
            "parameters": parameters,
            "strict": True,
        },
    }


def _inlined(schema: dict[str, Any]) -> dict[str, Any]:
    """References replaced by what they name: not every server follows them."""
    definitions = schema.pop("$defs", {})

    def walk(node: Any) -> Any:
        if isinstance(node, dict):
            if "$ref" in node:
                return walk(deepcopy(definitions[node["$ref"].rpartition("/")[2]]))
            return {key: walk(value) for key, value in node.items() if key not in {"title", "default", "pattern"}}
        return [walk(value) for value in node] if isinstance(node, list) else node

    found: dict[str, Any] = walk(schema)
    return found


def _strict(node: Any) -> Any:
    if isinstance(node, dict):
        node = {key: _strict(value) for key, value in node.items()}
        if node.get("type") == "object":
            node.setdefault("properties", {})
            node["additionalProperties"] = False
            node["required"] = list(node["properties"])
        return node
    return [_strict(value) for value in node] if isinstance(node, list) else node


def command_of(name: str, arguments: str, allowed: Collection[Danger]) -> Parsed:
    """The command that a tool call means. Raises ToolError with what is wrong, for the model to mend."""
    entry = registry().get(name)
    if entry is None or not entry.command.declaration.built:
        raise ToolError(f"there is no tool {name!r}")
    if entry.command.declaration.danger not in allowed:
        raise ToolError(f"the tool {name!r} is not allowed for this message")
    try:
        values = json.loads(arguments or "{}")
    except json.JSONDecodeError as error:
        raise ToolError(f"the arguments of {name} are not JSON: {error}") from error
    if not isinstance(values, dict):
        raise ToolError(f"the arguments of {name} must be an object")
    mode = values.pop("mode", None) if name != "mode" else None
    given = {key: value for key, value in values.items() if value is not None}
    try:
        return Parsed(entry.command.model_validate(given), Mode(mode) if mode else None)
    except (ValidationError, ValueError) as error:
        first = str(error).splitlines()
        raise ToolError(f"the arguments of {name} are wrong: {'; '.join(first[:4])}") from error
