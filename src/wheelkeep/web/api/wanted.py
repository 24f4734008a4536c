"""What was asked for and blocked, and the answers to it. Who asked is told to those alone who may answer."""

from collections.abc import Awaitable, Callable
from datetime import date
from typing import Annotated

from msgspec import Meta, Struct

from wheelkeep.core.answers import Answer, AnswerSaid, said
from wheelkeep.core.names import IndexName
from wheelkeep.index.desk import Unfit, Waiting
from wheelkeep.web import problem
from wheelkeep.web.api.listing import Limit
from wheelkeep.web.api.operation import APPROVE, Call, Operation, Refusal

_Index = Annotated[str, Meta(max_length=64, description="Which index; else `main`, or the only one.")]
_Gate = Annotated[str, Meta(max_length=40, description="A table of `policy.toml`.")]
_Requirements = Annotated[
    list[Annotated[str, Meta(max_length=300)]],
    Meta(min_length=1, max_length=1000, description="Names, or requirements such as `django==5.2`."),
]
_Reason = Annotated[
    str, Meta(max_length=500, description="One line, kept with the answer and shown with it.")
]


class WhichWanted(Struct, frozen=True, kw_only=True):
    """Of which index, and which of it."""

    index: _Index | None = None
    gate: _Gate | None = None
    limit: Limit = 100


class WhichAnswers(Struct, frozen=True, kw_only=True):
    """Of which index."""

    index: _Index | None = None


class GivenAnswers(Struct, frozen=True, kw_only=True):
    """Answers, the oldest first."""

    answers: list[AnswerSaid]


class GiveApproval(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is let in, why and until when."""

    requirements: _Requirements
    reason: _Reason
    index: _Index | None = None
    gates: Annotated[
        list[_Gate],
        Meta(
            max_length=20,
            description="The gates to lift; else `allow`, or those that blocked it, but for `deny`.",
        ),
    ] = []
    until: (
        Annotated[date, Meta(description="The last day (UTC); only an approval of `allow` may do without.")]
        | None
    ) = None


class GiveRefusal(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is refused, or whose answers are taken back, and why."""

    requirements: _Requirements
    reason: _Reason
    index: _Index | None = None


async def _list(call: Call) -> Waiting:
    query = call.query
    return await call.keep.desk.open(_index(call, query.index), gate=query.gate, limit=query.limit)


async def _answers(call: Call) -> GivenAnswers:
    given = await call.keep.desk.answers(_index(call, call.query.index))
    return GivenAnswers(answers=[said(answer) for answer in given])


async def _approve(call: Call) -> GivenAnswers:
    body, desk = call.body, call.keep.desk
    return await _given(
        call,
        lambda index: desk.approve(
            index,
            body.requirements,
            reason=body.reason,
            by=call.caller.name,
            gates=body.gates,
            until=body.until,
        ),
    )


async def _refuse(call: Call) -> GivenAnswers:
    body, desk = call.body, call.keep.desk
    return await _given(
        call,
        lambda index: desk.refuse(index, body.requirements, reason=body.reason, by=call.caller.name),
    )


async def _withdraw(call: Call) -> GivenAnswers:
    body, desk = call.body, call.keep.desk
    gone = await _given(
        call,
        lambda index: desk.withdraw(index, body.requirements, reason=body.reason, by=call.caller.name),
    )
    if not gone.answers:
        raise Refusal(problem.conflict(call.request, ("there is no answer to any of these",)))
    return gone


async def _given(call: Call, act: Callable[[IndexName], Awaitable[list[Answer]]]) -> GivenAnswers:
    try:
        answers = await act(_index(call, call.body.index))
    except Unfit as error:
        raise Refusal(problem.bad_request(call.request, str(error))) from None
    return GivenAnswers(answers=[said(answer) for answer in answers])


def _index(call: Call, name: str | None) -> IndexName:
    """The index that is meant; raises Refusal for one that is not there."""
    main = call.keep.settings.main
    if name is None:
        if main is None:
            raise Refusal(problem.bad_request(call.request, "say which index"))
        return main.name
    if IndexName(name) not in call.keep.indexes:
        raise Refusal(problem.bad_request(call.request, "index: there is no index of that name"))
    return IndexName(name)


OPERATIONS = (
    Operation(
        method="GET",
        path="/wanted",
        name="listWanted",
        says="Lists what was asked for, is blocked and has no answer, the most often asked for first, and by whom.",
        needs=APPROVE,
        handle=_list,
        query=WhichWanted,
        gives=Waiting,
    ),
    Operation(
        method="GET",
        path="/wanted/answers",
        name="listAnswers",
        says="Lists the approvals and refusals that were given and not taken back, the oldest first.",
        needs=APPROVE,
        handle=_answers,
        query=WhichAnswers,
        gives=GivenAnswers,
    ),
    Operation(
        method="POST",
        path="/wanted/approve",
        name="approveWanted",
        says="Lifts gates of an index for requirements; every worker goes by it from its next answer on.",
        needs=APPROVE,
        handle=_approve,
        takes=GiveApproval,
        gives=GivenAnswers,
    ),
    Operation(
        method="POST",
        path="/wanted/refuse",
        name="refuseWanted",
        says="Says no to requirements, which ends what was approved of them: whoever asks again is told why.",
        needs=APPROVE,
        handle=_refuse,
        takes=GiveRefusal,
        gives=GivenAnswers,
    ),
    Operation(
        method="POST",
        path="/wanted/withdraw",
        name="withdrawAnswers",
        says="Takes answers to requirements back, approvals and refusals alike.",
        needs=APPROVE,
        handle=_withdraw,
        takes=GiveRefusal,
        gives=GivenAnswers,
        refuses=(409,),
    ),
)
