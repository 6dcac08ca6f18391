"""The conformance suite of `rung.store.base.Store`: what every store must do, as tests to inherit.

    class TestMine(StoreConformance):
        @pytest.fixture
        def connect(self, tmp_path):
            return lambda: MyStore(f"mine://{tmp_path}")

`connect()` hands out a store on one and the same log each time; the suite closes what it was given. A store that lives
in one object may return that object again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from rung.model import BadInput, Conflict, Fenced, UnknownStudy
from rung.store.base import Entry, LeaseOwner, Position, Snapshot, Store

Connect = Callable[[], Store]

STUDY = "digits-1"
OWNER = LeaseOwner("runner-a", "host", "boot", 4242, 17)
OTHER = LeaseOwner("runner-b", "host", "boot", 4343, 18, role="asker")
NAMES = ("naïve — Ωμέγα 🧪", "it's", 'say "hi"', "semi;colon -- drop table study", "per%cent_", "a\nb", "", "A", "a")


def fact(text: str, trial: int | None = None) -> Entry:
    """A fact whose body is `text` as a JSON string of plain letters."""
    return Entry("fact", b'"%s"' % text.encode(), trial)


def decision(text: str, trial: int | None = None) -> Entry:
    """A decision whose body is `text`, as `fact` writes it."""
    return Entry("decision", b'"%s"' % text.encode(), trial)


def bodies(entries: Sequence[Entry]) -> list[tuple[int, str, bytes]]:
    """What `read` must give for `entries` that begin a log."""
    return [(seq, entry.kind, entry.body) for seq, entry in enumerate(entries, start=1)]


def log_of(store: Store, study: str = STUDY, *, page: int = 10_000) -> list[tuple[int, str, bytes]]:
    """The whole log, read in pages."""
    found: list[tuple[int, str, bytes]] = []
    while True:
        entries = store.read(study, after=found[-1][0] if found else 0, limit=page)
        found += [(entry.seq, entry.kind, entry.body) for entry in entries]
        if len(entries) < page:
            return found


def decide(store: Store, entry: Entry, study: str = STUDY) -> None:
    """`entry` is appended as a decision, however many conflicts that takes."""
    while not _accepted(store, entry, study):
        pass


def _accepted(store: Store, entry: Entry, study: str) -> bool:
    try:
        store.append(study, [entry], after=store.position(study).decisions)
    except Conflict:
        return False
    return True


class StoreConformance:
    """Inherit, and provide the fixture `connect`."""

    @pytest.fixture
    def connect(self) -> Connect:
        raise NotImplementedError("a subclass provides the fixture `connect`")

    @pytest.fixture
    def opened(self, connect: Connect) -> Iterator[Connect]:
        """`connect`, closing at the end what it gave."""
        stores: list[Store] = []

        def one_more() -> Store:
            stores.append(connect())
            return stores[-1]

        yield one_more
        for store in stores:
            store.close()

    @pytest.fixture
    def store(self, opened: Connect) -> Store:
        """A store with the empty study `STUDY`."""
        store = opened()
        store.create(STUDY, [], at=1000.5)
        return store

    # --------------------------------------------------------------------------------------------------- studies

    def test_a_new_study_holds_what_it_was_created_with(self, opened: Connect) -> None:
        store = opened()
        entries = [fact("born"), decision("first", 0), Entry("request", b'"ask"')]
        assert store.create(STUDY, entries, at=12.25) == Position(3, 1)
        assert log_of(store) == bodies(entries)
        (row,) = store.studies()
        assert (row.name, row.created, row.seq, row.decisions) == (STUDY, 12.25, 3, 1)

    def test_a_taken_name_is_refused_and_leaves_the_study_as_it_was(self, store: Store) -> None:
        store.append(STUDY, [fact("kept")])
        with pytest.raises(BadInput, match=STUDY):
            store.create(STUDY, [fact("other")], at=2.0)
        assert log_of(store) == bodies([fact("kept")])
        assert store.studies()[0].created == 1000.5

    def test_studies_are_listed_in_the_order_they_were_made_even_when_the_clock_ran_backwards(
        self, store: Store
    ) -> None:
        store.create("second", [], at=3.0)
        store.create("third", [], at=2.0)
        assert [row.name for row in store.studies()] == [STUDY, "second", "third"]

    @pytest.mark.parametrize("name", NAMES)
    def test_any_name_is_kept_apart_from_the_others(self, store: Store, name: str) -> None:
        for other in NAMES:
            store.create(other, [fact("of"), fact(str(NAMES.index(other)))], at=1.0)
        store.append(name, [fact("more")])
        assert log_of(store, name) == bodies([fact("of"), fact(str(NAMES.index(name))), fact("more")])
        store.delete(name)
        assert [row.name for row in store.studies()] == [STUDY, *(other for other in NAMES if other != name)]

    def test_a_deleted_study_is_gone_with_all_it_had_and_its_name_is_free(self, store: Store) -> None:
        store.append(STUDY, [decision("old", 3)], after=0)
        lease = store.acquire(STUDY, OWNER)
        store.put_snapshot(STUDY, Snapshot(1, 1, "1", b"old"))
        store.create("bystander", [fact("stays")], at=1.0)
        store.delete(STUDY)
        with pytest.raises(Fenced):
            store.renew(lease)
        assert store.create(STUDY, [], at=2.0) == Position(0, 0)
        assert store.snapshot(STUDY) is None
        assert store.leases(STUDY) == []
        assert store.read(STUDY) == store.read(STUDY, trial=3) == []
        assert log_of(store, "bystander") == bodies([fact("stays")])

    def test_every_call_on_an_unknown_study_says_so(self, store: Store) -> None:
        calls: list[Callable[[], object]] = [
            lambda: store.append("nope", [fact("x")]),
            lambda: store.position("nope"),
            lambda: store.read("nope"),
            lambda: store.read("nope", trial=1),
            lambda: store.acquire("nope", OWNER),
            lambda: store.leases("nope"),
            lambda: store.put_snapshot("nope", Snapshot(1, 0, "1", b"")),
            lambda: store.snapshot("nope"),
            lambda: store.delete("nope"),
        ]
        for call in calls:
            with pytest.raises(UnknownStudy, match="nope"):
                call()

    # --------------------------------------------------------------------------------------------------- the log

    def test_sequence_numbers_start_at_one_and_leave_no_gap(self, store: Store) -> None:
        assert store.position(STUDY) == Position(0, 0)
        assert store.append(STUDY, [fact("a"), fact("b")]) == Position(2, 0)
        assert store.append(STUDY, [decision("c"), Entry("request", b'"d"')], after=0) == Position(4, 1)
        assert store.position(STUDY) == Position(4, 1)
        assert log_of(store) == bodies([fact("a"), fact("b"), decision("c"), Entry("request", b'"d"')])

    def test_an_append_of_nothing_changes_nothing_but_still_checks(self, store: Store) -> None:
        store.append(STUDY, [fact("a")])
        assert store.append(STUDY, []) == Position(1, 0)
        with pytest.raises(Conflict):
            store.append(STUDY, [], after=1)

    def test_studies_count_each_for_itself(self, store: Store) -> None:
        store.create("other", [], at=1.0)
        store.append(STUDY, [decision("a", 1), fact("b", 1)], after=0)
        assert store.append("other", [decision("c", 1)], after=0) == Position(1, 1)
        assert log_of(store, "other") == bodies([decision("c", 1)])
        assert [logged.body for logged in store.read("other", trial=1)] == [b'"c"']

    def test_a_decision_without_after_is_a_mistake_of_the_caller(self, store: Store) -> None:
        with pytest.raises(ValueError, match="after"):
            store.append(STUDY, [fact("a"), decision("b")])
        assert store.position(STUDY) == Position(0, 0)

    @pytest.mark.parametrize("after", [0, 1, 3])
    def test_a_decision_computed_from_another_state_is_refused_whole(self, store: Store, after: int) -> None:
        store.append(STUDY, [decision("a"), decision("b")], after=0)
        with pytest.raises(Conflict, match=STUDY):
            store.append(STUDY, [fact("c"), decision("d")], after=after)
        assert log_of(store) == bodies([decision("a"), decision("b")])
        assert store.append(STUDY, [decision("d")], after=2) == Position(3, 3)

    def test_facts_do_not_disturb_a_decision(self, store: Store) -> None:
        store.append(STUDY, [decision("a")], after=0)
        store.append(STUDY, [fact("b"), Entry("request", b'"c"')])
        assert store.append(STUDY, [decision("d")], after=1) == Position(4, 2)

    def test_a_given_after_binds_facts_too(self, store: Store) -> None:
        with pytest.raises(Conflict):
            store.append(STUDY, [fact("a")], after=1)
        assert store.append(STUDY, [fact("a")], after=0) == Position(1, 0)

    def test_bodies_come_back_byte_for_byte(self, store: Store) -> None:
        entries = [
            Entry("fact", body, 2)
            for body in (b"", b"\x00\xff\n", '{"é": "\u2028"}'.encode(), b"x" * (5 * 1024 * 1024 + 3))
        ]
        store.append(STUDY, entries)
        assert log_of(store) == bodies(entries)
        assert [logged.body for logged in store.read(STUDY, trial=2)] == [entry.body for entry in entries]

    # --------------------------------------------------------------------------------------------------- reading

    @pytest.mark.parametrize("page", [1, 7, 100, 101])
    def test_pages_join_to_the_whole_log(self, store: Store, page: int) -> None:
        entries = [fact(f"n{number}", number % 3) for number in range(100)]
        store.append(STUDY, entries)
        assert log_of(store, page=page) == bodies(entries)

    def test_a_read_begins_above_after_and_ends_at_the_limit(self, store: Store) -> None:
        store.append(STUDY, [fact(f"n{number}") for number in range(2500)])
        assert [logged.seq for logged in store.read(STUDY, after=3, limit=2)] == [4, 5]
        assert [logged.seq for logged in store.read(STUDY, after=400, limit=2050)] == list(range(401, 2451))
        assert len(store.read(STUDY)) == 2500
        assert store.read(STUDY, after=2500) == store.read(STUDY, after=9999) == store.read(STUDY, limit=0) == []

    def test_a_read_by_trial_sees_that_trial_alone_in_order_and_in_pages(self, store: Store) -> None:
        entries = [fact(f"n{number}", None if number % 5 == 0 else number % 5) for number in range(50)]
        store.append(STUDY, entries)
        wanted = [row for row, entry in zip(bodies(entries), entries, strict=True) if entry.trial == 2]
        found = store.read(STUDY, trial=2)
        assert [(logged.seq, logged.kind, logged.body) for logged in found] == wanted
        assert store.read(STUDY, trial=2, after=found[3].seq, limit=2) == found[4:6]
        assert store.read(STUDY, trial=2, after=found[3].seq - 1, limit=1) == found[3:4]
        assert store.read(STUDY, trial=77) == []

    # ---------------------------------------------------------------------------------------------------- leases

    def test_epochs_rise_and_leases_are_listed_by_them(self, store: Store) -> None:
        first, second = store.acquire(STUDY, OWNER), store.acquire(STUDY, OTHER)
        assert first.epoch < second.epoch
        assert (first.study, first.counter, first.owner) == (STUDY, 0, OWNER)
        assert store.leases(STUDY) == [first, second]
        again = store.acquire(STUDY, OWNER)
        assert again.epoch > second.epoch
        assert store.leases(STUDY) == [second, again]

    def test_an_epoch_is_never_given_twice(self, store: Store) -> None:
        first = store.acquire(STUDY, OWNER)
        store.release(first)
        assert store.acquire(STUDY, OWNER).epoch > first.epoch

    def test_a_renewed_lease_counts_on_and_its_older_copies_stay_good(self, store: Store) -> None:
        lease = store.acquire(STUDY, OWNER)
        assert store.renew(lease).counter == 1
        renewed = store.renew(lease)
        assert (renewed.counter, renewed.epoch, renewed.owner) == (2, lease.epoch, OWNER)
        assert store.leases(STUDY) == [renewed]
        assert store.append(STUDY, [fact("a")], lease=lease) == Position(1, 0)

    def test_several_runners_append_under_leases_of_their_own(self, store: Store) -> None:
        first, second = store.acquire(STUDY, OWNER), store.acquire(STUDY, OTHER)
        store.append(STUDY, [fact("a")], lease=first)
        assert store.append(STUDY, [fact("b")], lease=second) == Position(2, 0)

    def test_a_replaced_lease_is_fenced(self, store: Store) -> None:
        old = store.acquire(STUDY, OWNER)
        new = store.acquire(STUDY, OWNER)
        with pytest.raises(Fenced, match="runner-a"):
            store.append(STUDY, [fact("late")], lease=old)
        with pytest.raises(Fenced):
            store.renew(old)
        store.release(old)
        assert store.leases(STUDY) == [new]
        assert store.append(STUDY, [fact("mine")], lease=new) == Position(1, 0)

    def test_a_released_lease_is_fenced_and_may_be_released_again(self, store: Store) -> None:
        lease = store.acquire(STUDY, OWNER)
        store.release(lease)
        store.release(lease)
        with pytest.raises(Fenced):
            store.append(STUDY, [fact("late")], lease=lease)
        with pytest.raises(Fenced):
            store.renew(lease)
        assert store.position(STUDY) == Position(0, 0)
        assert store.append(STUDY, [Entry("request", b'"stop"')]) == Position(1, 0)

    def test_being_fenced_comes_before_a_conflict(self, store: Store) -> None:
        lease = store.acquire(STUDY, OWNER)
        store.release(lease)
        with pytest.raises(Fenced):
            store.append(STUDY, [decision("a")], after=9, lease=lease)

    # ------------------------------------------------------------------------------------------------- snapshots

    def test_the_newest_snapshot_is_kept(self, store: Store) -> None:
        assert store.snapshot(STUDY) is None
        for snapshot in (Snapshot(5, 2, "1", b"\x00five"), Snapshot(9, 3, "2", b"nine" * 500_000)):
            store.put_snapshot(STUDY, snapshot)
            assert store.snapshot(STUDY) == snapshot
        store.put_snapshot(STUDY, Snapshot(8, 3, "2", b"eight"))
        assert store.snapshot(STUDY) == Snapshot(9, 3, "2", b"nine" * 500_000)
        store.put_snapshot(STUDY, Snapshot(9, 3, "3", b"another fold"))
        assert store.snapshot(STUDY) == Snapshot(9, 3, "3", b"another fold")

    # ----------------------------------------------------------------------------------------------- concurrency

    def test_concurrent_appenders_leave_no_gap_and_every_decision_once(self, store: Store, opened: Connect) -> None:
        """Four threads, each with a store of its own, decide 25 times and tell 25 facts."""
        stores = [opened() for _ in range(4)]

        def appender(name: int) -> None:
            for number in range(25):
                decide(stores[name], decision(f"d{name}.{number}", name))
                stores[name].append(STUDY, [fact(f"f{name}.{number}", name), fact("x")])

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(appender, range(4)))
        log = log_of(store)
        assert [seq for seq, _, _ in log] == list(range(1, 301))
        decided = [body for _, kind, body in log if kind == "decision"]
        assert sorted(decided) == sorted(b'"d%d.%d"' % (name, number) for name in range(4) for number in range(25))
        assert store.position(STUDY) == Position(300, 100)
        for name in range(4):  # each thread's own entries are in the order it wrote them
            own = [logged.body for logged in store.read(STUDY, trial=name)]
            assert own == [b'"%s%d.%d"' % (kind, name, number) for number in range(25) for kind in (b"d", b"f")]

    def test_one_store_object_serves_several_threads(self, store: Store) -> None:
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda number: decide(store, decision(f"d{number}")), range(100)))
        assert store.position(STUDY) == Position(100, 100)
        assert len({body for _, _, body in log_of(store)}) == 100

    def test_a_reader_meanwhile_sees_a_prefix_and_whole_appends(self, store: Store, opened: Connect) -> None:
        reader = opened()
        texts = [b'"%d"' % number for number in range(300)]

        def write() -> None:
            for number in range(0, 300, 3):
                store.append(STUDY, [Entry("fact", text) for text in texts[number : number + 3]])

        seen = [0]
        with ThreadPoolExecutor(1) as pool:
            writer = pool.submit(write)
            while seen[-1] < 300 and not writer.done():
                position, log = reader.position(STUDY), reader.read(STUDY)
                assert [logged.body for logged in log] == texts[: len(log)]
                assert len(log) % 3 == 0
                assert position.seq <= len(log)
                seen.append(len(log))
            writer.result()
        assert seen == sorted(seen)
        assert len(reader.read(STUDY)) == 300

    # ----------------------------------------------------------------------------------------------------- hints

    def test_changed_is_true_at_first_and_then_only_after_others_wrote(self, store: Store, opened: Connect) -> None:
        other = opened()
        assert store.changed()
        assert not store.changed()
        store.append(STUDY, [fact("mine")])
        assert not store.changed()
        for write in (
            lambda: other.append(STUDY, [fact("theirs")]),
            lambda: other.acquire(STUDY, OTHER),
            lambda: other.create("more", [], at=1.0),
            lambda: other.delete("more"),
        ):
            in_a_thread(write)
            assert store.changed()
            assert not store.changed()

    def test_changed_sees_another_thread_of_the_same_store(self, store: Store) -> None:
        store.changed()
        in_a_thread(lambda: store.append(STUDY, [fact("theirs")]))
        store.append(STUDY, [fact("mine")])
        assert store.changed()
        assert not store.changed()

    # --------------------------------------------------------------------------------------------------- closing

    def test_closing_twice_is_allowed_and_the_log_stays(self, connect: Connect) -> None:
        store = connect()
        store.create(STUDY, [fact("kept")], at=1.0)
        store.close()
        store.close()
        assert log_of(store) == bodies([fact("kept")])
        store.close()


def in_a_thread(call: Callable[[], object]) -> None:
    """`call` has run in another thread; what it raised is raised here."""
    with ThreadPoolExecutor(1) as pool:
        pool.submit(call).result()
