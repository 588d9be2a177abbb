from __future__ import annotations

from collections import Counter, deque

from sft.limits import EARLY_FRAME_BYTES, EARLY_TOTAL_BYTES, FRAME_BYTES
from sft.wire.framing import HEADER_BYTES
from sft.wire.states import TABLE, FrameType, Side, State, Way, frame_limit, steps

QUEUE = 2  # frames on their way, each way


def reachable(side: Side, without: FrameType | None = None) -> set[State]:
    states, waiting = {State.START}, deque([State.START])
    while waiting:
        state = waiting.popleft()
        for way in Way:
            for kind, then in steps(side, state, way).items():
                if kind != without and then not in states:
                    states.add(then)
                    waiting.append(then)
    return states


def test_no_step_stands_in_the_table_twice():
    places = Counter((row.side, row.state, row.way, frame) for row in TABLE for frame in row.frames)
    assert set(places.values()) == {1}


def test_every_state_but_the_other_sides_is_reachable():
    only_server = {State.HELLO_RECEIVED, State.JUDGING}
    only_client = {State.HELLO_SENT, State.LOGIN_SENT}
    assert reachable(Side.CLIENT) == set(State) - only_server - {State.DEAD}
    assert reachable(Side.SERVER) == set(State) - only_client - {State.DEAD}


def test_no_way_to_open_leaves_out_a_step_of_the_handshake():
    for side in Side:
        for kind in (
            FrameType.CLIENT_HELLO,
            FrameType.SERVER_HELLO,
            FrameType.SERVER_PROOF,
            FrameType.LOGIN,
            FrameType.WELCOME,
        ):
            assert State.OPEN not in reachable(side, without=kind)


def test_closed_and_dead_allow_nothing():
    for side in Side:
        for state in (State.CLOSED, State.DEAD):
            for way in Way:
                assert not steps(side, state, way)


def test_nothing_may_arrive_while_a_login_is_judged():
    assert not steps(Side.SERVER, State.JUDGING, Way.RECEIVES)


def test_whatever_one_side_may_send_the_other_may_receive_however_frames_cross():
    start = (State.START, State.START, (), ())
    seen, waiting = {start}, deque([start])
    ends = set()
    while waiting:
        client, server, to_server, to_client = waiting.popleft()
        after = []
        if len(to_server) < QUEUE:
            after += [
                (then, server, (*to_server, kind), to_client)
                for kind, then in steps(Side.CLIENT, client, Way.SENDS).items()
            ]
        if len(to_client) < QUEUE:
            after += [
                (client, then, to_server, (*to_client, kind))
                for kind, then in steps(Side.SERVER, server, Way.SENDS).items()
            ]
        if to_server:
            allowed = steps(Side.SERVER, server, Way.RECEIVES)
            assert to_server[0] in allowed, (client, server, to_server, to_client)
            after.append((client, allowed[to_server[0]], to_server[1:], to_client))
        if to_client:
            allowed = steps(Side.CLIENT, client, Way.RECEIVES)
            assert to_client[0] in allowed, (client, server, to_server, to_client)
            after.append((allowed[to_client[0]], server, to_server, to_client[1:]))
        if not after:
            ends.add((client, server))
        for place in after:
            if place not in seen:
                seen.add(place)
                waiting.append(place)
    # Nobody is stuck half way.
    assert ends == {(State.CLOSED, State.CLOSED)}


def test_frames_stay_small_until_their_sender_has_proved_itself():
    early = {State.START, State.HELLO_SENT, State.HELLO_RECEIVED, State.KEYED, State.PROVED, State.JUDGING}
    for state in State:
        expected = EARLY_FRAME_BYTES if state in early | {State.DEAD} else FRAME_BYTES
        assert frame_limit(state) == expected


def test_all_frames_of_a_handshake_that_strangers_send_stay_together_below_their_limit():
    for side in Side:
        received = 0
        state = State.START
        while state is not State.OPEN:
            (step,) = {
                (way, then)
                for way in Way
                for kind, then in steps(side, state, way).items()
                if kind != FrameType.LOGIN_REFUSED
            }
            early = frame_limit(state) == EARLY_FRAME_BYTES
            received += step[0] is Way.RECEIVES and early
            state = step[1]
        assert received * (HEADER_BYTES + EARLY_FRAME_BYTES) <= EARLY_TOTAL_BYTES
