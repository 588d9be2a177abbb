"""What goes in comes out, verified; what was changed outside is refused by name, whatever asks for it."""
# ruff: noqa: S608 -- the statements are made of the schema's own names

import sqlite3

import pytest
from msgspec.structs import replace
from sqlalchemy import and_, func, select

from sft.errors import RowForgedError, StoreError
from sft.model.access import Role
from sft.store import invitations, settings, users
from sft.store.connections import faults_as_ours
from sft.store.database import Database, ReadPool, open_database
from sft.store.row_types import (
    DeviceKeyRow,
    FileRow,
    FolderRow,
    PurgeRow,
    Row,
    RowSumRow,
    SettingRow,
    SmallObjectRow,
    UserRow,
    VersionRow,
)
from sft.store.rows import ReadTransaction, Transaction
from sft.store.schema import DeviceKeyModel, FileModel, Model, UserModel, VersionModel
from sft.store.statements import columns_of, pairs_of, rows_of
from sft.store.table_specs import TABLE_SPECS, table_of
from tests.unit.store.asked import asked_of
from tests.unit.store.samples import (
    ADA,
    ADAS_KEY,
    GONE,
    MAX,
    MAXS_KEY,
    NOW,
    PLAN,
    ROOT,
    ROW_KEY,
    SAMPLES,
    SERVER_ID,
    reading,
    tamper,
    tampered,
    writing,
)

BLOBS = {
    (table.name, column.name)
    for table in Model.metadata.tables.values()
    for column in table.columns
    if column.type.python_type is bytes
}
COLUMNS = [(kind, table_of(kind), column) for kind in TABLE_SPECS for column in TABLE_SPECS[kind].columns]
MARKED = [place for place in COLUMNS if TABLE_SPECS[place[0]].has_mac]


def test_every_table_has_a_kind_of_row_and_a_sample_of_each_column() -> None:
    assert {table_of(kind) for kind in TABLE_SPECS} == set(Model.metadata.tables)
    assert {type(rows[0]) for rows in SAMPLES} | {RowSumRow} == set(TABLE_SPECS)
    for rows in SAMPLES:
        for column in rows[0].__struct_fields__:
            assert any(getattr(row, column) is not None for row in rows), column


def test_rows_come_out_as_they_went_in(database: Database) -> None:
    with reading(database) as reader:
        for rows in SAMPLES:
            assert reader.rows.all(rows_of(type(rows[0]))) == list(rows)
        assert reader.now == NOW


def test_a_member_of_an_enumeration_is_stored_as_its_text(empty: Database) -> None:
    with writing(empty) as transaction:
        transaction.rows.insert([replace(ADA, role=Role.GUEST)])
    with reading(empty) as reader:
        (user,) = reader.rows.all(rows_of(UserRow))
        assert (user.role, type(user.role)) == ("guest", str)


@pytest.mark.parametrize("value", [True, 1.0, bytearray(b"x"), ("x",)])
def test_a_value_that_would_come_out_as_another_does_not_go_in(empty: Database, value: object) -> None:
    with writing(empty) as transaction, pytest.raises(TypeError):
        transaction.rows.insert([replace(ADA, created_at=value)])


# -- forgery ----------------------------------------------------------------------------------------


def changes(table: str, column: str) -> list[str]:
    """What somebody might write into a column, as SQL expressions."""
    if (table, column) in BLOBS:
        return [f"CAST(X'00' || {column} AS BLOB)", "X''", "'text'", "12345678901", "1.5"]
    return [f"{column} || 'x'", f"{column} + 40", "X'31'", "NULL", "2.5", "CAST(X'FF' AS TEXT)"]


@pytest.mark.parametrize(("kind", "table", "column"), MARKED)
@pytest.mark.sampled(7)
def test_a_row_is_refused_whatever_column_was_changed(
    standing: Database, kind: type[Row], table: str, column: str
) -> None:
    with reading(standing) as reader:
        rows = len(reader.rows.all(rows_of(kind)))
    refused: set[int] = set()
    for change in changes(table, column):
        for rowid in range(1, rows + 1):
            statement = f"UPDATE {table} SET {column} = {change} WHERE rowid = {rowid}"
            whole = f"SELECT {column} FROM {table}"
            with tampered(standing) as (connection, reader):
                before = repr(connection.execute(whole).fetchall())
                try:
                    connection.execute(statement)
                except sqlite3.IntegrityError:
                    continue  # SQLite itself refuses that one
                if repr(connection.execute(whole).fetchall()) == before:
                    continue  # it was so
                with pytest.raises(RowForgedError) as fault:
                    reader.rows.all(rows_of(kind))
                assert fault.value.table == table
                refused.add(rowid)
    assert refused == set(range(1, rows + 1))


QUERIES = {
    "user_by_id": lambda r: users.user_by_id(r, 1),
    "users_by_id": lambda r: users.users_by_id(r, [1, 2]),
    "user_by_name": lambda r: users.user_by_name(r, "ADA"),
    "users_after": lambda r: users.users_after(r, 0, 10),
    "active_admins": users.active_admins,
    "admin_names": users.admin_names,
    "key_by_id": lambda r: users.key_by_id(r, 1),
    "keys_by_id": lambda r: users.keys_by_id(r, [1]),
    "key_by_public": lambda r: users.key_by_public(r, ADAS_KEY.public_key),
    "keys_of": lambda r: users.keys_of(r, [1]),
    "invitation_by_id": lambda r: invitations.invitation_by_id(r, 2),
    "invitation_by_public": lambda r: invitations.invitation_by_public(r, b"j" * 32),
    "invitations_since": lambda r: invitations.invitations_since(r, 0, 10),
    "setting": lambda r: settings.setting(r, "server_name"),
    "server_name": settings.server_name,
    "one": lambda r: r.rows.one(rows_of(UserRow, UserModel.id == 1)),
    "first": lambda r: r.rows.first(rows_of(UserRow, order_by=[UserModel.id])),
    "exists": lambda r: r.rows.first(rows_of(UserRow, UserModel.id == 1)) is not None,
    "joined, first": lambda r: r.rows.pairs(pairs_of(UserRow, DeviceKeyRow, DeviceKeyModel.user_id == UserModel.id)),
    "joined, second": lambda r: r.rows.pairs(pairs_of(DeviceKeyRow, UserRow, DeviceKeyModel.user_id == UserModel.id)),
}
# Columns by which a query finds its row: changed, the row is not found at all.
FOUND_BY = {
    ("user_by_name", "folded"),
    ("key_by_public", "public_key"),
    ("keys_of", "user_id"),
    ("joined, first", "user_id"),
    ("joined, second", "user_id"),
    ("invitation_by_public", "public_key"),
    ("setting", "name"),
    ("server_name", "name"),
}
ASKED_OF = {
    "users": (
        ADA,
        [name for name in QUERIES if "user" in name or "admin" in name]
        + ["one", "first", "exists", "joined, first", "joined, second"],
    ),
    "device_keys": (ADAS_KEY, ["joined, first", "joined, second"] + [n for n in QUERIES if "key" in n]),
    "invitations": (SAMPLES[3][1], [n for n in QUERIES if "invitation" in n]),
    "settings": (SAMPLES[0][0], ["setting", "server_name"]),
}


@pytest.mark.parametrize(
    ("table", "query", "column"),
    [
        (table, query, column)
        for table, (row, queries) in ASKED_OF.items()
        for query in queries
        for column in (*row.__struct_fields__, "mac")
        if column != "id" and (query, column) not in FOUND_BY
    ],
)
@pytest.mark.sampled(7)
def test_every_query_refuses_a_changed_row_by_name(standing: Database, table: str, query: str, column: str) -> None:
    number = {"settings": "server_name", "invitations": "2"}.get(table, "1")
    key = f"name = '{number}'" if table == "settings" else f"id = {number}"
    value = "X'0011'" if (table, column) in BLOBS else "-77"
    change = f"UPDATE {table} SET {column} = {value} WHERE {key}"
    with tampered(standing, change) as (_, reader), pytest.raises(RowForgedError) as refused:
        QUERIES[query](reader)
    assert (refused.value.table, refused.value.row) == (table, number)


@pytest.mark.parametrize(("query", "column"), sorted(FOUND_BY))
def test_a_row_that_is_not_found_any_more_is_nobody_elses(standing: Database, query: str, column: str) -> None:
    table, (row, _) = next(
        (table, asked)
        for table, asked in ASKED_OF.items()
        if query in asked[1] and column in asked[0].__struct_fields__
    )
    value = "X'0011'" if (table, column) in BLOBS else "2" if column == "user_id" else "'other'"
    key = "name = 'server_name'" if table == "settings" else f"id = {row.id}"
    with tampered(standing, f"UPDATE {table} SET {column} = {value} WHERE {key}") as (_, reader):
        try:
            found = QUERIES[query](reader)
        except RowForgedError:
            return
    assert not found or found == {1: []}


def test_a_removed_setting_is_no_default(database: Database) -> None:
    tamper(database.path, "DELETE FROM settings WHERE name = 'registration'")
    with reading(database) as reader, pytest.raises(RowForgedError) as refused:
        settings.setting(reader, "registration")
    assert (refused.value.table, refused.value.row) == ("settings", "registration")


def test_a_mac_is_good_for_its_row_and_table_alone(standing: Database) -> None:
    exchange = (
        "CREATE TEMP TABLE marks AS SELECT id, mac FROM users",
        "UPDATE users SET mac = (SELECT mac FROM marks WHERE marks.id = 3 - users.id)",
    )
    with tampered(standing, *exchange) as (_, reader):
        for number in (1, 2):
            with pytest.raises(RowForgedError) as refused:
                users.user_by_id(reader, number)
            assert refused.value.row == str(number)


def test_a_copied_row_is_refused_under_its_new_number(database: Database) -> None:
    tamper(
        database.path,
        "INSERT INTO device_keys SELECT 3, user_id, X'4564' || public_key, device, added_at, ended_at, start_leaf, end_leaf,"
        " cut_off_leaf, end_reason, endorsement, mac FROM device_keys WHERE id = 1",
    )
    with reading(database) as reader, pytest.raises(RowForgedError) as refused:
        users.keys_of(reader, [1])
    assert refused.value.row == "3"


def test_a_small_object_that_is_no_bytes_is_refused(database: Database) -> None:
    for value in ("'text'", "99999999999", "1.5"):
        tamper(database.path, f"UPDATE small_objects SET sealed = {value}")
        with reading(database) as reader, pytest.raises(RowForgedError) as refused:
            reader.rows.all(rows_of(SmallObjectRow))
        assert refused.value.row == (b"1" * 16).hex()


@pytest.mark.parametrize("keys", [(b"x" * 32, SERVER_ID), (ROW_KEY, b"x" * 32)])
def test_rows_under_another_row_key_or_of_another_server_are_refused(
    database: Database, keys: tuple[bytes, bytes]
) -> None:
    with pytest.raises(RowForgedError):
        open_database(database.path, *keys)
    other = ReadPool(Database(database.path, keys[0], None, keys[1], readers=1), lambda: NOW)
    with other.reading() as reader, pytest.raises(RowForgedError):
        users.user_by_id(reader, 1)


def test_check_names_every_fault_and_goes_on(database: Database) -> None:
    with writing(database) as transaction:
        transaction.rows.insert([replace(ADA, id=n, name=f"u{n}", folded=f"u{n}") for n in range(3, 21)])
    tamper(database.path, "UPDATE users SET role = 'admin' WHERE id IN (2, 7, 20)")
    tamper(database.path, "UPDATE users SET id = -4 WHERE id = 9")
    faults, after, rounds = [], None, 0
    while rounds == 0 or after is not None:
        with reading(database) as reader:
            found, after = reader.rows.check(UserRow, after, limit=5)
        faults += [fault.row for fault in found]
        rounds += 1
    assert faults == ["-4", "2"]
    assert rounds == 5
    for kind in TABLE_SPECS:
        if kind is not UserRow:
            with reading(database) as reader:
                assert reader.rows.check(kind) == ([], None)


# -- queries ----------------------------------------------------------------------------------------


def test_one_first_exists_and_all(database: Database) -> None:
    with reading(database) as reader:
        rows = reader.rows
        assert rows.one(rows_of(UserRow, UserModel.id == 2)) == MAX
        assert rows.one(rows_of(UserRow, UserModel.id == 3)) is None
        with pytest.raises(StoreError, match="STORE"):
            rows.one(rows_of(UserRow))
        assert rows.first(rows_of(UserRow, order_by=[UserModel.id.desc()])) == MAX
        assert rows.first(rows_of(UserRow, UserModel.id > 9, order_by=[UserModel.id])) is None
        assert rows.first(rows_of(UserRow, UserModel.folded == "max")) is not None
        assert not rows.first(rows_of(UserRow, UserModel.folded == "eva")) is not None
        assert rows.all(rows_of(UserRow, UserModel.id > 0, UserModel.role == "admin")) == [ADA]
        assert rows.all(rows_of(UserRow, order_by=[UserModel.id.desc()], limit=1)) == [MAX]


def test_joins_give_whole_rows_of_each_table(database: Database) -> None:
    with reading(database) as reader:
        newest = and_(VersionModel.file == FileModel.id, VersionModel.number == FileModel.newest)
        pairs = reader.rows.pairs(pairs_of(FileRow, VersionRow, newest, order_by=[FileModel.id.desc()]))
        assert [(f, v.signed_name) for f, v in pairs] == [(GONE, "Old"), (PLAN, "Finance/Plan.pdf")]


def test_figures_count(database: Database) -> None:
    with reading(database) as reader:
        assert reader.rows.columns(columns_of(select(func.count(), func.sum(VersionModel.size)))) == [(3, 60)]


# -- writing ----------------------------------------------------------------------------------------


def test_many_rows_go_in_with_one_statement(empty: Database) -> None:
    rows = [SettingRow(f"s{n}", bytes([n])) for n in range(200)]
    with asked_of(empty.write_connections) as asked, writing(empty) as transaction:
        transaction.rows.insert(rows)
        transaction.rows.insert([])
    assert [len(each.rows) for each in asked if "INSERT" in each.text] == [200]
    with reading(empty) as reader:
        assert sorted(reader.rows.all(rows_of(SettingRow)), key=lambda row: row.value) == rows


def test_update_writes_whole_rows_and_their_macs(database: Database) -> None:
    with writing(database) as transaction:
        transaction.rows.update([replace(ADA, role="guest"), replace(MAX, state="disabled")])
        transaction.rows.update([replace(SAMPLES[6][0], size=11), replace(SAMPLES[6][1], size=12)])
        transaction.rows.update([replace(SAMPLES[7][0], sealed=b"new")])
        transaction.rows.update([])
    with reading(database) as reader:
        assert [(u.role, u.state) for u in reader.rows.all(rows_of(UserRow))] == [
            ("guest", "active"),
            ("maintainer", "disabled"),
        ]
        assert [v.size for v in reader.rows.all(rows_of(VersionRow))] == [11, 12, 30]
        assert [o.sealed for o in reader.rows.all(rows_of(SmallObjectRow))] == [b"new"]


def test_a_row_that_is_not_there_is_neither_updated_nor_deleted(database: Database) -> None:
    (purge,) = SAMPLES[9]
    strange = replace(purge, object_id=b"0" * 16)
    for act in ("update", "delete"):
        with pytest.raises(StoreError) as refused, writing(database) as transaction:
            getattr(transaction.rows, act)([replace(purge, purged_at=1), strange])
        assert "lost 1 rows" in str(refused.value.values["problem"])
    with reading(database) as reader:
        assert reader.rows.all(rows_of(PurgeRow)) == [purge]


def test_delete_removes_exactly_the_rows(database: Database) -> None:
    with writing(database) as transaction:
        transaction.rows.delete([SAMPLES[6][0]])
        transaction.rows.delete([])
    with reading(database) as reader:
        assert reader.rows.all(rows_of(VersionRow)) == list(SAMPLES[6][1:])


def test_rows_of_two_kinds_are_not_one_list(empty: Database) -> None:
    with writing(empty) as transaction, pytest.raises(TypeError):
        transaction.rows.insert([ADA, ROOT])


def test_numbers_are_dense_and_do_not_trust_a_forged_last_row(database: Database) -> None:
    with writing(database) as transaction:
        assert transaction.rows.next_id(UserRow) == 3
    tamper(database.path, "UPDATE users SET id = 9223372036854775806 WHERE id = 2")
    with writing(database) as transaction, pytest.raises(RowForgedError):
        transaction.rows.next_id(UserRow)


def test_a_changed_last_row_keeps_nobody_from_adding_more(database: Database) -> None:
    tamper(database.path, "UPDATE users SET role = 'guest' WHERE id = 2")
    with writing(database) as transaction:
        assert transaction.rows.next_id(UserRow) == 3
    tamper(database.path, "UPDATE users SET role = 'guest'")  # and nothing says any more which numbers are genuine
    with writing(database) as transaction, pytest.raises(RowForgedError):
        transaction.rows.next_id(UserRow)


def test_numbers_begin_with_one(empty: Database) -> None:
    with writing(empty) as transaction:
        assert transaction.rows.next_id(FileRow) == 1


def test_a_savepoint_undoes_its_block_alone(empty: Database) -> None:
    def half_done(transaction: Transaction) -> None:
        with transaction.savepoint():
            transaction.rows.insert([MAX])
            transaction.rows.delete([ROOT])

    with writing(empty) as transaction:
        transaction.rows.insert([ADA])
        with pytest.raises(StoreError):
            half_done(transaction)
        with transaction.savepoint():
            transaction.rows.insert([ROOT])
    with reading(empty) as reader:
        assert reader.rows.all(rows_of(UserRow)) == [ADA]
        assert reader.rows.all(rows_of(FolderRow)) == [ROOT]


def test_a_row_refers_to_rows_that_are_there(empty: Database) -> None:
    with pytest.raises(StoreError), faults_as_ours(), writing(empty) as transaction:
        transaction.rows.insert([MAXS_KEY])


def test_a_reading_transaction_has_no_way_to_write(database: Database) -> None:
    with reading(database) as reader:
        assert isinstance(reader, ReadTransaction)
        assert not hasattr(reader.rows, "insert")


def test_text_of_the_whole_of_unicode_comes_back(empty: Database) -> None:
    name = "a\x00b\u202e\U0001f600é"
    with writing(empty) as transaction:
        transaction.rows.insert([replace(ADA, name=name)])
    with reading(empty) as reader:
        assert reader.rows.all(rows_of(UserRow))[0].name == name
