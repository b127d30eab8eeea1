"""Any events in any order, over servers that change behind our back: what must never happen does not.

What is checked here is worked out from readings and events alone, not by asking the machine.
"""

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from skytui.clock import Instant
from skytui.pair.order import Order, Outcome, Result
from skytui.pair.pair import PairReading
from skytui.pair.reading import Known, Stale, Unknown
from skytui.pair.vocabulary import READINGS, Action, Role, Scheduler
from skytui.runbook.events import Aborted, Baselined, Confirmed, Finished, HandedOver, Intended, Recorded
from skytui.runbook.machine import fold
from skytui.runbook.model import Ended, Ending
from skytui.runbook.steps import STEPS, UNDO
from tests.support.walk import PLAN, WHO, Walk
from tests.support.world import NEW, OLD, OPEN_QUEUES, with_readings

UNDO_PLAN = [step.id for step in UNDO]
RESULTS = [Result.DONE, Result.FAILED, Result.REFUSED, Result.UNKNOWN, Result.NOT_STARTED]
STARTS_JOBS = (Action.START_SCHEDULER, Action.UNLOCK_QUEUES)

either = st.sampled_from([OLD, NEW])
reasons = st.sampled_from(["", "agreed"])
some_readings = st.sets(st.sampled_from(READINGS), min_size=1, max_size=4)


def fresh(reading: object, since: Instant, now: Instant) -> bool:
    return isinstance(reading, Known) and reading.at.later_than(since) and now.since(reading.at) <= 10.0


class AnyEvents(RuleBasedStateMachine):
    @initialize(step=st.sampled_from(PLAN))
    def start(self, step: str) -> None:
        self.walk = Walk().to(step)
        self.answers: list[Result | None] = []
        self.latest: PairReading | None = None
        self.tokens = {order.token for order in self.walk.performed}
        self.walk.act = self.performed

    def performed(self, order: Order) -> Outcome | None:
        """Every effect comes by here; whether it may happen is judged before anything else."""
        self.judge(order)
        answer = self.answers.pop() if self.answers else Result.DONE
        if answer is None:
            return None
        if answer in (Result.DONE, Result.UNKNOWN):
            done = self.walk.world.act(order)
            return done if answer is Result.DONE else Outcome(answer, "cut off")
        return Outcome(answer, "no")

    def judge(self, order: Order) -> None:
        assert order.token not in self.tokens, "performed twice for one token"
        self.tokens.add(order.token)
        before = list(self.walk.events)
        intent = before.pop()
        assert isinstance(intent, Intended), "performed without an intent before it"
        assert (intent.token, intent.action) == (order.token, order.action)
        step = intent.step
        assert STEPS[step].action is order.action
        told = [e for e in before if isinstance(e, Confirmed | Intended) and e.step == step]
        assert told, "performed without a confirmation"
        confirmed = told[-1]
        assert isinstance(confirmed, Confirmed), "performed on a confirmation that was used up"
        assert not self.walk.run.hold, "performed while held"
        assert confirmed.who == self.operator(before[: before.index(confirmed)]), "confirmed by somebody else"
        reading = self.latest
        assert reading is not None
        assert reading.began.later_than(confirmed.at), "performed on a poll from before the confirmation"
        if order.action is Action.PROMOTE:
            self.old_master_is_down(reading, confirmed.at)
        if order.action in STARTS_JOBS and self.walk.run.abort:
            assert reading.masters() == (OLD,), "jobs released without one master"
        elif order.action in STARTS_JOBS:
            self.old_master_is_down(reading, confirmed.at)
            assert reading.masters() == (NEW,), "jobs released without one master"
        if order.action is Action.UNLOCK_QUEUES:
            assert set(order.queues) <= self.open_before(), "unlocked what was not ours"
        ended = {Result.FAILED, Result.DONE} & set(self.results(step))
        if order.action is Action.SHUT_DOWN and not ended:
            pending = reading.server(OLD).replication_pending
            assert isinstance(pending, Known)
            assert pending.value == 0
            assert reading.role(NEW) is Role.STANDBY
        if order.action is Action.START:
            assert self.walk.run.abort, "started a master's server"
            assert not any(isinstance(e, Intended) and e.action is Action.PROMOTE for e in before)
            role = reading.server(NEW).role
            assert fresh(role, confirmed.at, reading.now)
            assert reading.role(NEW) is Role.STANDBY, "started a master's server beside another master"

    def old_master_is_down(self, reading: PairReading, since: Instant) -> None:
        ports, processes = reading.server(OLD).ports, reading.server(OLD).process
        assert isinstance(ports, Known)
        assert isinstance(processes, Known)
        assert fresh(ports, since, reading.now)
        assert fresh(processes, since, reading.now)
        assert ports.value
        assert all(port.state == "refused" for port in ports.value)
        assert processes.value
        assert not any(process.running for process in processes.value)

    def open_before(self) -> set[str]:
        baselined = [e for e in self.walk.events if isinstance(e, Baselined)][-1]
        return {queue.name for queue in baselined.baseline.queues if not queue.locked}

    def operator(self, before: list[Recorded]) -> str:
        handed = [event.to for event in before if isinstance(event, HandedOver)]
        return handed[-1] if handed else WHO

    def results(self, step: str) -> list[Result]:
        return [e.outcome.result for e in self.walk.events if isinstance(e, Finished) and e.step == step]

    def observe(self, reading: PairReading) -> None:
        self.latest = reading
        self.walk.observe(reading)

    @rule(answer=st.sampled_from([*RESULTS, None]))
    def the_next_action_ends_like(self, answer: Result | None) -> None:
        self.answers.append(answer)

    @rule()
    def confirm(self) -> None:
        self.walk.confirm()

    @rule(step=st.sampled_from(PLAN), phrase=st.sampled_from(["", OLD, NEW, "yes"]))
    def confirm_anything(self, step: str, phrase: str) -> None:
        self.walk.confirm(step, phrase)

    @rule(times=st.integers(1, 4), seconds=st.sampled_from([0.5, 1.0, 4.0, 30.0, 200.0]))
    def poll(self, times: int, seconds: float) -> None:
        for _ in range(times):
            self.observe(self.walk.world.poll(seconds))

    @rule()
    def a_poll_comes_back_late(self) -> None:
        reading = self.walk.world.poll()
        self.walk.confirm()
        self.observe(reading)

    @rule(server=either, names=some_readings, stale=st.booleans())
    def poll_with_gaps(self, server: str, names: set[str], stale: bool) -> None:
        reading = self.walk.world.poll()
        for name in names:
            known = getattr(reading.server(server), name)
            gap: Stale[object] | Unknown = Unknown("cut")
            if stale and isinstance(known, Known):
                gap = Stale(known.value, known.at, "cut")
            reading = with_readings(reading, server, **{name: gap})
        self.observe(reading)

    @rule(back=st.integers(0, 3), result=st.sampled_from(RESULTS))
    def an_outcome_comes_in(self, back: int, result: Result) -> None:
        if back < len(self.walk.performed):
            order = self.walk.performed[-1 - back]
            self.walk.finish(Outcome(result, "late", position="0/5000100"), order)

    @rule(step=st.sampled_from(PLAN), reason=reasons)
    def waive(self, step: str, reason: str) -> None:
        self.walk.waive(step, reason)

    @rule(reason=reasons)
    def abort(self, reason: str) -> None:
        self.walk.abort(reason)

    @rule()
    def hold(self) -> None:
        self.walk.hold()

    @rule()
    def release(self) -> None:
        self.walk.release()

    @rule()
    def the_conductor_dies(self) -> None:
        self.walk.resume()

    @rule(to=st.sampled_from(["ann", "bob"]), by=st.sampled_from(["ann", "bob", "eve"]), reason=reasons)
    def somebody_takes_over_or_hands_over(self, to: str, by: str, reason: str) -> None:
        self.walk.hand_over(to, by, reason)

    @rule(data=st.data())
    def an_event_comes_again(self, data: st.DataObject) -> None:
        self.walk.feed(data.draw(st.sampled_from(self.walk.events)))

    @rule(server=either, up=st.booleans())
    def a_server_starts_or_dies(self, server: str, up: bool) -> None:
        self.walk.world.servers[server].up = up

    @rule(server=either, role=st.sampled_from(Role))
    def a_server_changes_its_role(self, server: str, role: Role) -> None:
        self.walk.world.servers[server].role = role

    @rule(server=either, queue=st.sampled_from([*OPEN_QUEUES, "legacy", "new"]), locked=st.booleans())
    def somebody_turns_a_lock(self, server: str, queue: str, locked: bool) -> None:
        self.walk.world.servers[server].queues[queue] = locked

    @rule(server=either, state=st.sampled_from(["running", "stopped"]))
    def somebody_turns_the_scheduler(self, server: str, state: str) -> None:
        self.walk.world.servers[server].scheduler = Scheduler(state, 3)

    @rule(pending=st.integers(0, 2), link=st.sampled_from(["streaming", ""]))
    def replication_changes(self, pending: int, link: str) -> None:
        self.walk.world.old.pending, self.walk.world.old.link = pending, link

    @precondition(lambda self: not self.walk.run.over)
    @rule()
    def all_is_well_for_a_while(self) -> None:
        self.walk.release()
        self.walk.confirm()
        for _ in range(14):
            self.observe(self.walk.world.poll())
            self.walk.world.job_completes()

    @invariant()
    def the_journal_folds_to_the_run(self) -> None:
        assert fold(self.walk.events) == self.walk.run

    @invariant()
    def steps_pass_in_the_order_of_the_plan_and_once(self) -> None:
        behind = [record.step for record in self.walk.run.records]
        undone = [step for step in behind if step in UNDO_PLAN]
        forth = behind[: len(behind) - len(undone)]
        assert forth == list(PLAN[: len(forth)])
        assert undone == sorted(undone, key=UNDO_PLAN.index), "an abort goes backwards"
        assert not undone or self.walk.run.abort

    @invariant()
    def there_is_no_way_back_once_promote_was_intended(self) -> None:
        promoted = aborted = False
        for event in self.walk.events:
            promoted = promoted or (isinstance(event, Intended) and event.action is Action.PROMOTE)
            aborted = aborted or isinstance(event, Aborted)
            assert not (promoted and aborted), "gone back where there is no way back"

    @invariant()
    def an_aborted_run_that_is_over_left_the_pair_as_it_was(self) -> None:
        run = self.walk.run
        if run.over and run.abort:
            assert run.stage == Ended(Ending.ROLLED_BACK)
            assert run.ledger == ()

    @invariant()
    def a_run_with_waivers_is_not_clean(self) -> None:
        run = self.walk.run
        if run.over and not run.abort and any(record.waived for record in run.records):
            assert "not clean" in str(getattr(run.stage, "ending", ""))


AnyEvents.TestCase.settings = settings(
    max_examples=80, stateful_step_count=30, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
TestAnyEvents = AnyEvents.TestCase
