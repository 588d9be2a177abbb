from sft.server.room import Room


def test_answers_begin_in_order_and_as_many_as_can_be_held():
    unsent, begun = 0, []
    room = Room(100, lambda: unsent)
    for number, size in enumerate((40, 40, 40, 10)):
        room.take(size).addCallback(lambda _, number=number: begun.append(number))
    assert begun == [0, 1], "a small one does not overtake"
    unsent = 40
    room.give_back(40)
    assert begun == [0, 1]
    unsent = 0
    room.look()
    assert begun == [0, 1, 2, 3]


def test_an_answer_that_is_larger_than_the_room_comes_alone():
    room, begun = Room(100, lambda: 0), []
    room.take(500).addCallback(begun.append)
    room.take(1).addCallback(begun.append)
    assert len(begun) == 1
    room.give_back(500)
    assert len(begun) == 2
