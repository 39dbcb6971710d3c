"""The bucket of tokens, on a clock of its own."""

import asyncio

import pytest

from core.exchange.pacing import TokenBucket


class Time:
    """A monotonic clock that only its own sleep moves."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    def monotonic(self) -> float:
        """Seconds."""
        return self.now

    async def sleep(self, seconds: float) -> None:
        """Let the time pass at once."""
        self.slept.append(seconds)
        self.now += seconds


async def test_a_burst_passes_without_waiting() -> None:
    time = Time()
    bucket = TokenBucket(1.0, 5, monotonic=time.monotonic, sleep=time.sleep)
    for _ in range(5):
        await bucket.take()
    assert time.slept == []


async def test_after_the_burst_calls_are_spaced_by_the_rate() -> None:
    time = Time()
    bucket = TokenBucket(2.0, 3, monotonic=time.monotonic, sleep=time.sleep)
    for _ in range(6):
        await bucket.take()
    assert time.slept == [0.5, 0.5, 0.5]


async def test_quiet_time_refills_the_bucket_no_higher_than_the_burst() -> None:
    time = Time()
    bucket = TokenBucket(1.0, 2, monotonic=time.monotonic, sleep=time.sleep)
    for _ in range(2):
        await bucket.take()
    time.now += 3600
    for _ in range(3):
        await bucket.take()
    assert time.slept == [1.0]


async def test_callers_that_come_together_wait_one_behind_the_other() -> None:
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    bucket = TokenBucket(1.0, 1, monotonic=lambda: 0.0, sleep=sleep)
    await asyncio.gather(*(bucket.take() for _ in range(4)))
    assert waits == [1.0, 2.0, 3.0]


async def test_a_canceled_caller_gives_its_place_back() -> None:
    waits: list[float] = []
    forever = asyncio.Event()

    async def sleep(seconds: float) -> None:
        waits.append(seconds)
        await forever.wait()

    bucket = TokenBucket(1.0, 1, monotonic=lambda: 0.0, sleep=sleep)
    await bucket.take()
    for _ in range(2):
        waiting = asyncio.ensure_future(bucket.take())
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
    assert waits == [1.0, 1.0]


@pytest.mark.parametrize(("rate_per_s", "burst"), [(0.0, 5), (-1.0, 5), (1.0, 0)])
def test_a_bucket_that_could_never_give_a_token_is_refused(rate_per_s: float, burst: int) -> None:
    with pytest.raises(ValueError, match="a bucket needs"):
        TokenBucket(rate_per_s, burst)


async def test_the_patient_leave_a_reserve_to_those_who_come_in_a_hurry() -> None:
    time = Time()
    bucket = TokenBucket(1.0, 5, reserve=3, patience_s=60, monotonic=time.monotonic, sleep=time.sleep)
    for _ in range(2):
        await bucket.take(patient=True)
    assert time.slept == []
    for _ in range(3):
        await bucket.take()
    assert time.slept == []
    await bucket.take(patient=True)
    assert sum(time.slept) == pytest.approx(4.0)


async def test_however_many_wait_patiently_a_call_in_a_hurry_does_not_wait_behind_them() -> None:
    bucket = TokenBucket(20.0, 5, reserve=3)
    patient = [asyncio.create_task(bucket.take(patient=True)) for _ in range(50)]
    await asyncio.sleep(0.2)
    done_before = sum(task.done() for task in patient)
    for _ in range(3):
        await bucket.take()
    assert done_before < 50
    assert sum(task.done() for task in patient) <= done_before + 1
    for task in patient:
        task.cancel()
    await asyncio.gather(*patient, return_exceptions=True)


async def test_under_a_steady_load_the_patient_are_slow_and_not_left_out() -> None:
    bucket = TokenBucket(20.0, 5, reserve=4, patience_s=0.1)

    async def load() -> None:
        while True:
            await bucket.take()

    loading = asyncio.create_task(load())
    await asyncio.sleep(0.3)
    async with asyncio.timeout(5):
        for _ in range(3):
            await bucket.take(patient=True)
    loading.cancel()
    await asyncio.gather(loading, return_exceptions=True)


async def test_one_that_waits_patiently_and_is_canceled_takes_nothing() -> None:
    bucket = TokenBucket(0.001, 2, reserve=1, patience_s=60)
    await bucket.take(patient=True)
    waiting = asyncio.create_task(bucket.take(patient=True))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    async with asyncio.timeout(1):
        await bucket.take()


@pytest.mark.parametrize("reserve", [-1, 5, 6])
async def test_a_reserve_that_leaves_nothing_to_the_patient_is_refused(reserve: int) -> None:
    with pytest.raises(ValueError, match=f"a bucket of 5 cannot keep a reserve of {reserve}"):
        TokenBucket(1.0, 5, reserve=reserve)
