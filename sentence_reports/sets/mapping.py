"""What all mappings of a set file have in common: they are strict, and their errors come all at once."""

from collections.abc import Iterator
from typing import Annotated, Any, NamedTuple, Self

from pydantic import BaseModel, ConfigDict, Field, ModelWrapValidatorHandler, ValidationError, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

from sentence_reports.sets.naming import did_you_mean
from sentence_reports.sets.yaml_nodes import Trail

UNIONS = {"sentences": 1, "ratings": 1, "models": 2}
"""Where pydantic's errors about a field name the branch of its union: second in ("sentences", "list", 3)."""

NotBlank = Annotated[str, Field(pattern=r"\S")]


class Mismatch(NamedTuple):
    """What is wrong between values: the path of one, the message and, if there is a second one, its path."""

    trail: Trail
    message: str
    other: Trail | None = None


class Mapping(BaseModel):
    """A mapping of a set file: frozen and strict. Its errors come all at once, and an unknown key gets a suggestion."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    @classmethod
    def cross_check(cls, data: dict[str, Any]) -> Iterator[Mismatch]:
        """Yield what is wrong between values.

        `data` is plain data that may be wrong in other ways, so that all problems of a file come out at once.
        """
        yield from ()

    @model_validator(mode="wrap")
    @classmethod
    def _check(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        errors = [
            _error("cross_check", trail, message, {"other": other})
            for trail, message, other in (cls.cross_check(data) if isinstance(data, dict) else ())
        ]
        made = None
        try:
            made = handler(data)
        except ValidationError as error:
            for details in error.errors(include_url=False, include_input=False):
                trail, message = details["loc"], details["msg"]
                if trail and (branch := UNIONS.get(str(trail[0]))):
                    trail = trail[:branch] + trail[branch + 1 :]
                if details["type"] == "extra_forbidden" and len(trail) == 1:
                    message = f"is an unknown key{did_you_mean(str(trail[0]), tuple(cls.model_fields))}"
                errors.append(_error(details["type"], trail, message, details.get("ctx", {})))
        if errors or made is None:
            raise ValidationError.from_exception_data(cls.model_config.get("title") or cls.__name__, errors)
        return made


def _error(kind: str, trail: Trail, message: str, context: dict[str, Any]) -> InitErrorDetails:
    error = PydanticCustomError(kind, "{message}", {**context, "message": message})  # type: ignore[arg-type]
    return {"type": error, "loc": trail, "input": None}
