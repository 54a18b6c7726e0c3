"""Accounts, sessions and tokens: nothing in plain, nothing open for ever, nothing told to who guesses."""

from __future__ import annotations

import contextlib
import re
import threading
from collections.abc import Callable

import pytest
from argon2 import PasswordHasher
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from queries import places
from queries.errors import AskError, SettingError, SignInError, WeakPasswordError
from queries.frame import EVERYTHING, NOTHING, Actor, Scope
from queries.people import accounts, actors, passwords, sessions, tokens
from queries.people.roles import ROLES
from queries.people.tables import account, session, token
from queries.schema import metadata
from queries.settings import Settings
from queries.store import Store, version
from queries.tables import area, department, node, tree

RULES = Settings()
GOOD = "Lotus-Pond-88"


@pytest.fixture
def town(store: Store) -> Store:
    """Two streets and one department: what accounts may be given."""
    with store.write() as connection:
        connection.execute(tree.insert().values(id=1, valid_from=places.EARLY, hash="t"))
        for i, (code, parent) in enumerate((("99", None), ("9901", "99"), ("9902", "99")), start=1):
            connection.execute(area.insert().values(id=i, code=code, level=min(i, 2) - 1, name=code, name_en=code, parent_code=parent,
                                                    valid_from=places.EARLY, hash=code))
            connection.execute(node.insert().values(num=i, tree_id=1, area_id=i, level=min(i, 2) - 1, parent=1 if parent else None,
                                                    last=3 if i == 1 else i, main=True, dense=i))
        connection.execute(department.insert().values(code="urban", name="城市管理局", name_en="Urban"))
    return store


@pytest.fixture
def hill(town: Store) -> str:
    """A street officer with a password of their own."""
    once = accounts.make(town, "hill", "street", ["9901"], shown="北街网格长")
    accounts.choose_password(town, "hill", once, GOOD, RULES)
    return "hill"


def dump(store: Store) -> str:
    with store.read() as connection:
        return "\n".join(str(tuple(row)) for table in metadata.sorted_tables for row in connection.execute(select(table)))


def wait(store: Store, seconds: int) -> None:
    """Let time pass for sessions and locks: what is kept of the past lies further back."""
    with store.aside() as connection:
        connection.execute(session.update().values(seen_at=session.c.seen_at - seconds, ends_at=session.c.ends_at - seconds))
        connection.execute(account.update().values(locked_until=account.c.locked_until - seconds))


def refused(act: Callable[[], object]) -> str:
    with pytest.raises(SignInError) as bad:
        act()
    return str(bad.value)


def actor(store: Store, secret: str) -> Actor | None:
    with store.read() as connection:
        held = sessions.find(connection, secret, RULES)
        return None if held is None or held.account.must_change else actors.of_account(held.account)


def test_no_secret_is_found_in_the_database(town: Store, hill: str) -> None:
    secret = sessions.begin(town, accounts.verify(town, hill, GOOD, RULES).id, RULES)
    machine = tokens.make(town, "hotline")
    once = accounts.make(town, "river", "viewer", ["9902"])

    held = dump(town)

    assert "$argon2id$" in held
    assert not [plain for plain in (GOOD, secret, machine, machine.removeprefix("gov_"), once) if plain in held]


def test_every_password_is_hashed_with_a_salt_of_its_own(town: Store) -> None:
    first, second = passwords.hashed(GOOD), passwords.hashed(GOOD)
    assert first != second
    assert passwords.fits(first, GOOD)
    assert not passwords.fits(first, GOOD + "x")
    assert not passwords.fits("", "")


def test_whatever_is_wrong_the_words_are_the_same(town: Store, hill: str) -> None:
    accounts.make(town, "gone", "viewer", ["9901"])
    accounts.set_active(town, "gone", False)

    unknown = refused(lambda: accounts.verify(town, "nobody", GOOD, RULES))
    wrong = refused(lambda: accounts.verify(town, hill, "Wrong-Pond-88", RULES))
    locked_for_good = refused(lambda: accounts.verify(town, "gone", GOOD, RULES))
    for _ in range(RULES.lock_failures):
        refused(lambda: accounts.verify(town, hill, "Wrong-Pond-88", RULES))
    locked = refused(lambda: accounts.verify(town, hill, GOOD, RULES))

    assert unknown == wrong == locked_for_good == locked
    assert "hill" not in wrong


def test_five_wrong_passwords_lock_for_five_minutes(town: Store, hill: str) -> None:
    for _ in range(5):
        refused(lambda: accounts.verify(town, hill, "Wrong-Pond-88", RULES))
    refused(lambda: accounts.verify(town, hill, GOOD, RULES))
    wait(town, 280)
    refused(lambda: accounts.verify(town, hill, GOOD, RULES))
    wait(town, 30)
    assert accounts.verify(town, hill, GOOD, RULES).name == hill


def test_a_right_password_forgets_the_wrong_ones(town: Store, hill: str) -> None:
    for _ in range(3):
        for _ in range(4):
            refused(lambda: accounts.verify(town, hill, "Wrong-Pond-88", RULES))
        accounts.verify(town, hill, GOOD, RULES)


def test_many_guesses_at_once_do_not_slip_past_the_lock(town: Store, hill: str) -> None:
    gate, opened = threading.Barrier(8), []

    def guess() -> None:
        gate.wait()
        with contextlib.suppress(SignInError):
            opened.append(accounts.verify(town, hill, "Wrong-Pond-88", RULES))

    crowd = [threading.Thread(target=guess) for _ in range(8)]
    for one in crowd:
        one.start()
    for one in crowd:
        one.join()

    with town.read() as connection:
        kept = connection.execute(select(account).where(account.c.name == hill)).one()
    assert not opened
    assert kept.failures == 5
    assert kept.locked_until is not None


def test_a_hash_of_older_parameters_is_made_new_at_sign_in(town: Store, hill: str) -> None:
    old = PasswordHasher(time_cost=1, memory_cost=8192).hash(GOOD)
    with town.aside() as connection:
        connection.execute(account.update().where(account.c.name == hill).values(hash=old))

    accounts.verify(town, hill, GOOD, RULES)

    with town.read() as connection:
        kept = connection.scalar(select(account.c.hash).where(account.c.name == hill))
    assert kept != old
    assert not passwords.outdated(kept)
    assert accounts.verify(town, hill, GOOD, RULES)


@pytest.mark.parametrize("weak", ["Ab1-xyz", "alllowercase", "12345678", "lower1234", "xX-hill-99", "", "A1b" * 100])
def test_a_weak_password_is_refused_with_words_and_the_old_one_stays(town: Store, hill: str, weak: str) -> None:
    with pytest.raises(WeakPasswordError) as bad:
        accounts.choose_password(town, hill, GOOD, weak, RULES)
    assert bad.value.words["zh"]
    assert bad.value.words["en"]
    assert accounts.verify(town, hill, GOOD, RULES)


def test_the_old_password_is_no_new_one(town: Store, hill: str) -> None:
    with pytest.raises(WeakPasswordError):
        accounts.choose_password(town, hill, GOOD, GOOD, RULES)


def test_a_password_typed_decomposed_is_the_same_password() -> None:
    assert passwords.fits(passwords.hashed("Caf\u00e9-Straße-1"), "Cafe\u0301-Straße-1")


@given(st.text(max_size=60))
def test_what_may_be_chosen_has_eight_characters_of_three_kinds(text: str) -> None:
    try:
        passwords.check(text, "\0")
    except WeakPasswordError:
        return
    assert len(text) >= 4  # composed characters count once
    assert sum((any(c.islower() for c in text), any(c.isupper() for c in text), any(c.isdigit() for c in text),
                any(not (c.islower() or c.isupper() or c.isdigit()) for c in text))) >= 3


def test_one_time_passwords_differ_and_must_be_replaced(town: Store) -> None:
    once = accounts.make(town, "river", "viewer", ["9902"])
    secret = sessions.begin(town, accounts.verify(town, "river", once, RULES).id, RULES)

    assert actor(town, secret) is None
    assert re.fullmatch(r"(\w{4}-){3}\w{4}", once)
    assert len({passwords.one_time() for _ in range(1000)}) == 1000


def test_a_session_ends_when_it_is_not_used(town: Store, hill: str) -> None:
    secret = sessions.begin(town, accounts.verify(town, hill, GOOD, RULES).id, RULES)
    wait(town, 60 * RULES.session_idle_min - 20)
    assert actor(town, secret)

    with town.read() as connection:
        held = sessions.find(connection, secret, RULES)
    sessions.touch(town, held.id)
    wait(town, 60 * RULES.session_idle_min - 20)
    assert actor(town, secret)

    wait(town, 30)
    assert actor(town, secret) is None


def test_a_session_ends_after_hours_however_much_it_is_used(town: Store, hill: str) -> None:
    secret = sessions.begin(town, accounts.verify(town, hill, GOOD, RULES).id, RULES)
    for _ in range(2 * RULES.session_hours):
        assert actor(town, secret)
        wait(town, 1800 - 1)
        with town.aside() as connection:
            connection.execute(session.update().values(seen_at=session.c.seen_at + 1799))
    assert actor(town, secret)
    wait(town, 60)
    assert actor(town, secret) is None


def test_each_sign_in_makes_a_session_that_did_not_exist(town: Store, hill: str) -> None:
    id_ = accounts.verify(town, hill, GOOD, RULES).id
    one, two = sessions.begin(town, id_, RULES), sessions.begin(town, id_, RULES)
    assert one != two
    sessions.end(town, one)
    sessions.end(town, "unheard of")
    assert actor(town, one) is None
    assert actor(town, two)


def test_a_changed_password_ends_all_sessions(town: Store, hill: str) -> None:
    id_ = accounts.verify(town, hill, GOOD, RULES).id
    held = [sessions.begin(town, id_, RULES) for _ in range(2)]
    accounts.choose_password(town, hill, GOOD, "Other-Pond-99", RULES)
    assert [actor(town, secret) for secret in held] == [None, None]


@pytest.mark.parametrize("act", ["lock", "reset"])
def test_who_is_locked_or_reset_is_out_at_once(town: Store, hill: str, act: str) -> None:
    secret = sessions.begin(town, accounts.verify(town, hill, GOOD, RULES).id, RULES)
    if act == "lock":
        accounts.set_active(town, hill, False)
    else:
        accounts.reset(town, hill)
    assert actor(town, secret) is None
    refused(lambda: accounts.verify(town, hill, GOOD, RULES))


def test_changed_rights_hold_from_the_next_request_on(town: Store, hill: str) -> None:
    secret = sessions.begin(town, accounts.verify(town, hill, GOOD, RULES).id, RULES)
    assert actor(town, secret) == Actor(name="hill", post="street", scope=Scope(areas=frozenset({"9901"})), shown="北街网格长")

    accounts.change(town, hill, areas=["9902"], shown="南街网格长")
    assert actor(town, secret).scope == Scope(areas=frozenset({"9902"}))
    accounts.change(town, hill, role="department", areas=[], department_code="urban")
    assert (actor(town, secret).department, actor(town, secret).scope) == ("urban", EVERYTHING)


def test_sessions_and_tries_leave_the_remembered_answers_alone(town: Store, hill: str) -> None:
    with town.read() as connection:
        before = version(connection)
    sessions.begin(town, accounts.verify(town, hill, GOOD, RULES).id, RULES)
    with town.read() as connection:
        assert version(connection) == before


@pytest.mark.parametrize(("role", "areas", "seen"), [
    ("admin", (), EVERYTHING), ("dispatcher", (), EVERYTHING), ("department", (), EVERYTHING), ("viewer", ("all",), EVERYTHING),
    ("viewer", (), NOTHING), ("street", (), NOTHING), ("street", ("9901",), Scope(areas=frozenset({"9901"}))),
    ("admin", ("9901",), Scope(areas=frozenset({"9901"}))), ("a role of tomorrow", ("all",), NOTHING),
])
def test_areas_of_a_role_are_what_it_sees(role: str, areas: tuple[str, ...], seen: Scope) -> None:
    assert actors.scope_of(role, areas) == seen


@pytest.mark.parametrize(("given", "why"), [
    (("a b", "admin"), "cannot name"), (("demo:x", "admin"), "cannot name"), (("clock", "admin"), "cannot name"), (("x", "admin"), "cannot name"),
    (("ok", "king"), "no role"), (("ok", "street"), "needs its areas"), (("ok", "street", ["all"]), "named areas"),
    (("ok", "viewer", ["9977"]), "No area"), (("ok", "department"), "needs its department"),
    (("ok", "department", [], "parks"), "Known: urban"), (("ok", "admin", [], "urban"), "belongs to no department"),
    (("HILL", "admin"), "already"),
])
def test_what_cannot_be_given_is_refused_and_nothing_is_kept(town: Store, hill: str, given: tuple, why: str) -> None:
    with pytest.raises(AskError, match=why):
        accounts.make(town, *given)
    assert [held.name for held in accounts.listed(town)] == [hill]


def test_a_name_is_the_same_in_capitals(town: Store, hill: str) -> None:
    assert accounts.verify(town, "HILL", GOOD, RULES).name == hill


def test_every_role_has_words_in_both_languages() -> None:
    assert list(ROLES) == ["viewer", "wall", "street", "department", "dispatcher", "admin"]
    for role in ROLES.values():
        assert all(words[lang] for words in (role.title, role.what) for lang in ("zh", "en"))


def test_a_wall_stays_signed_in_though_nobody_touches_it(town: Store) -> None:
    ids = {}
    for name, role in (("wall", "wall"), ("desk", "viewer")):
        accounts.choose_password(town, name, accounts.make(town, name, role, ["all"]), GOOD, RULES)
        ids[name] = sessions.begin(town, accounts.verify(town, name, GOOD, RULES).id, RULES)
    day = 86_400
    with town.aside() as connection:
        connection.execute(session.update().values(seen_at=session.c.seen_at - 60 * day, made_at=session.c.made_at - 60 * day, ends_at=session.c.ends_at - 60 * day))
    # Somebody else signs in, which takes out what is over.
    sessions.begin(town, accounts.verify(town, "desk", GOOD, RULES).id, RULES)
    with town.read() as connection:
        assert sessions.find(connection, ids["wall"], RULES)
        assert sessions.find(connection, ids["desk"], RULES) is None
    accounts.set_active(town, "wall", False)
    with town.read() as connection:
        assert sessions.find(connection, ids["wall"], RULES) is None


def test_a_token_is_its_source_until_it_ends(town: Store) -> None:
    one, two, short = tokens.make(town, "hotline"), tokens.make(town, "hotline"), tokens.make(town, "once", days=1)
    with town.aside() as connection:
        connection.execute(token.update().where(token.c.source == "once").values(ends_at=token.c.ends_at - 86_401))

    def source(secret: str) -> Actor | None:
        with town.read() as connection:
            return tokens.find(connection, secret)

    assert source(one) == source(two) == Actor(name="hotline", post="source", scope=EVERYTHING, shown="hotline")
    assert source(short) is None
    assert source("gov_guess") is None
    assert tokens.end(town, "hotline") == 2
    assert source(one) is None
    assert [held.active for held in tokens.listed(town)] == [False, False, True]


def test_the_first_start_makes_one_admin_and_says_its_password_once(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    from dashboard import people_cli

    people_cli.begin(RULES, store, loopback=True)
    told = capsys.readouterr()
    once = re.search(r"^ {4}(\S+)$", told.out, re.M).group(1)
    people_cli.begin(RULES, store, loopback=True)

    assert told.err == ""
    assert once not in capsys.readouterr().out
    assert accounts.verify(store, "admin", once, RULES).must_change


def test_others_reach_the_server_only_when_somebody_can_sign_in(town: Store) -> None:
    from dashboard import people_cli

    for _ in range(2):
        with pytest.raises(SettingError, match="account add NAME"):
            people_cli.begin(Settings(host="0.0.0.0"), town, loopback=False)
        people_cli.begin(RULES, town, loopback=True)  # the untouched first account changes nothing

    accounts.make(town, "hill", "street", ["9901"])
    people_cli.begin(Settings(host="0.0.0.0"), town, loopback=False)


def test_the_command_line_keeps_accounts(town: Store, capsys: pytest.CaptureFixture[str]) -> None:
    from dashboard.cli import main

    def run(*words: str) -> str:
        assert main(list(words)) == 0
        return capsys.readouterr().out

    def environ(monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("GOV_DATABASE_URL", town.engine.url.render_as_string(hide_password=False))

    with pytest.MonkeyPatch.context() as patch:
        environ(patch)
        once = run("account", "add", "river", "--role", "street", "--areas", "9901", "9902", "--shown", "南街网格长").split()[-1]
        assert accounts.verify(town, "river", once, RULES).areas == ("9901", "9902")
        assert "南街网格长" in run("account", "list")
        assert "locked" in run("account", "lock", "river")
        run("account", "unlock", "river")
        assert run("account", "reset", "river").split()[-1] != once
        secret = run("token", "add", "hotline").split()[-1]
        assert secret not in run("token", "list")
        assert "1 token" in run("token", "end", "hotline")
        assert main(["account", "add", "river", "--role", "admin"]) == 2
        assert "already" in capsys.readouterr().err
