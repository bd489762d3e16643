//! The queue: who is near, who may overtake, and what happens when somebody leaves.

use super::*;
use futures_util::FutureExt;
use std::pin::Pin;
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Wake, Waker};
use std::thread;

/// A future that is polled by hand, and whether it was woken since.
struct Watched<F> {
    future: Pin<Box<F>>,
    flag: Arc<Flag>,
}

#[derive(Default)]
struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

fn watch<F: Future>(future: F) -> Watched<F> {
    Watched { future: Box::pin(future), flag: Arc::default() }
}

impl<F: Future> Watched<F> {
    /// True if it is done.
    fn poll(&mut self) -> bool {
        self.flag.0.store(false, Ordering::SeqCst);
        let waker = Waker::from(self.flag.clone());
        self.future.as_mut().poll(&mut Context::from_waker(&waker)).is_ready()
    }

    fn woken(&self) -> bool {
        self.flag.0.load(Ordering::SeqCst)
    }
}

/// A pool that gave all it has just now, so that the next permit is 1.03 s away.
async fn spent(rate: Rate) -> Arc<Limits> {
    let limits = limits(&[rate]);
    herd(&limits, &[A], secs(9), rate.count() as usize).await;
    limits
}

#[tokio::test(start_paused = true)]
async fn no_patience_is_now_or_never() {
    let limits = limits(&[Rate::per_second(10)]);
    let outcomes = herd(&limits, &[A], Duration::ZERO, 7).await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 5);
    let spent = outcomes[6].unwrap_err();
    assert_eq!((spent.pool, spent.kind), (A, SpentKind::Patience));
    assert!(
        spent.retry_after > ms(171) && spent.retry_after < ms(172),
        "1.03 s / 6: {:?}",
        spent.retry_after
    );
    assert_eq!(limits.state(A).inside, 5);
}

#[tokio::test(start_paused = true)]
async fn the_prediction_counts_those_ahead() {
    let limits = spent(Rate::per_second(2)).await;
    let mut waiting = Vec::new();
    for _ in 0..6 {
        let wait = limits.state(A).wait;
        assert_eq!(limits.queue([A], wait - Duration::from_nanos(1)).unwrap_err().retry_after, wait);
        waiting.push((wait, limits.queue([A], wait).unwrap()));
    }
    let start = Instant::now();
    let waits = join_all(waiting.into_iter().map(async |(wait, place)| (wait, place.admit().await))).await;
    for (wait, permit) in waits {
        let took = permit.unwrap().at() - start;
        assert!(took >= wait && took < wait + ms(6), "{took:?} against {wait:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_full_queue_refuses_at_once() {
    let pool = PoolSettings { name: "pool".into(), rate: Rate::per_second(1), per_call: 1 };
    let limits = Limits::new(vec![pool], Settings { waiting_max: 3, ..settings() });
    let places: Vec<_> = (0..3).map(|_| limits.queue([A], secs(9)).unwrap()).collect();
    let spent = limits.queue([A], secs(9)).unwrap_err();
    assert_eq!(spent.kind, SpentKind::QueueFull);
    assert!(spent.retry_after >= secs(3), "{:?}", spent.retry_after);
    drop(places);
    assert!(call(&limits, &[A], secs(0)).await.is_ok());
    assert_eq!((limits.state(A).cancelled, limits.state(A).refused), (3, [0, 1, 0, 0]));
}

#[tokio::test(start_paused = true)]
async fn only_the_head_of_a_queue_gets_ready() {
    let limits = spent(Rate::per_second(10)).await;
    let mut places: Vec<_> = (0..12).map(|_| limits.queue([A], secs(9)).unwrap()).collect();
    let near: Vec<_> = places.iter_mut().map(|place| place.near().now_or_never().is_some()).collect();
    assert_eq!(near, [[true; 8].as_slice(), &[false; 4]].concat());
    let mut ninth = places.remove(8);
    let mut waiter = watch(async move { ninth.near().await });
    assert!(!waiter.poll());
    drop(places.remove(3));
    assert!(waiter.woken() && waiter.poll(), "one of those ahead left");
}

#[tokio::test(start_paused = true)]
async fn where_there_is_room_everybody_gets_ready() {
    let limits = limits(&[Rate::per_second(100)]);
    let mut places: Vec<_> = (0..60).map(|_| limits.queue([A], secs(9)).unwrap()).collect();
    let near = places.iter_mut().filter_map(|place| place.near().now_or_never()).count();
    assert_eq!(near, 50, "as many as can go at once");
}

#[tokio::test(start_paused = true)]
async fn time_makes_room_though_nobody_moves() {
    let limits = spent(Rate::per_second(20)).await;
    let mut places: Vec<_> = (0..10).map(|_| limits.queue([A], secs(9)).unwrap()).collect();
    let wait = limits.state(A).wait;
    assert!(places[9].near().now_or_never().is_none());
    let start = Instant::now();
    places[9].near().await.unwrap();
    assert!(Instant::now() - start <= wait + ms(1));
}

#[tokio::test(start_paused = true)]
async fn one_who_is_not_ready_holds_nobody_up_and_keeps_its_place() {
    let limits = spent(Rate::per_second(2)).await;
    let slow = limits.queue([A], secs(9)).unwrap();
    let (second, third) = (limits.queue([A], secs(9)).unwrap(), limits.queue([A], secs(9)).unwrap());
    let start = Instant::now();
    let slow = async {
        sleep(ms(600)).await;
        slow.admit().await.unwrap().at()
    };
    let (slow, second, third) = tokio::join!(slow, second.admit(), third.admit());
    let (second, third) = (second.unwrap().at() - start, third.unwrap().at() - start);
    assert!(second < slow - start && slow - start < third, "{second:?} {:?} {third:?}", slow - start);
}

#[tokio::test(start_paused = true)]
async fn whoever_leaves_wakes_the_next_and_spends_nothing() {
    let limits = spent(Rate::per_second(2)).await;
    let before = limits.state(A);
    let places: Vec<_> = (0..4).map(|_| limits.queue([A], secs(9)).unwrap()).collect();
    let mut tasks: Vec<_> = places.into_iter().map(|place| watch(place.admit())).collect();
    assert!(tasks.iter_mut().all(|task| !task.poll()));
    drop(tasks.remove(2));
    assert!(tasks.iter().all(|task| !task.woken()), "from the middle: nobody's turn has come");
    drop(tasks.remove(0));
    assert!(tasks[0].woken() && !tasks[1].woken(), "the head: the next has a moment to wait for");
    let start = Instant::now();
    let outcomes = join_all(tasks.into_iter().map(|task| task.future)).await;
    let waits: Vec<_> = outcomes.into_iter().map(|permit| permit.unwrap().at() - start).collect();
    assert!(waits[0] <= before.wait + ms(1), "it goes when the head would have: {waits:?}");
    let after = limits.state(A);
    assert_eq!((after.admitted - before.admitted, after.cancelled, after.waiting), (2, 2, 0));
}

#[tokio::test(start_paused = true)]
async fn one_who_leaves_after_it_was_woken_passes_the_turn_on() {
    let limits = spent(Rate::per_second(2)).await;
    let places: Vec<_> = (0..3).map(|_| limits.queue([A], secs(9)).unwrap()).collect();
    let mut tasks: Vec<_> = places.into_iter().map(|place| watch(place.admit())).collect();
    assert!(tasks.iter_mut().all(|task| !task.poll()));
    sleep(secs(2)).await;
    assert!(tasks[0].woken(), "its moment has come");
    drop(tasks.remove(0));
    assert!(tasks[0].woken() && tasks[0].poll() && tasks[1].woken(), "and so on down the queue");
}

#[tokio::test(start_paused = true)]
async fn a_call_that_waits_for_another_pool_keeps_the_order_of_this_one() {
    let limits = limits(&[Rate::per_second(100), Rate::per_second(1)]);
    call(&limits, &[B], secs(0)).await.unwrap();
    let start = Instant::now();
    let both = limits.queue([A, B], secs(9)).unwrap();
    let behind = limits.queue([A], secs(9)).unwrap();
    let (both, behind) = tokio::join!(both.admit(), behind.admit());
    assert_eq!(both.unwrap().at() - start, ms(1030));
    assert_eq!(behind.unwrap().at() - start, ms(1030));
}

#[test]
fn waiters_on_two_threads_share_one_pool_and_wake_each_other() {
    let limits = limits(&[Rate::new(40, ms(100)).unwrap()]);
    let begin = Barrier::new(2);
    let worker = || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        begin.wait();
        runtime.block_on(async {
            let calls = (0..60).map(async |n| {
                if n % 6 == 5 {
                    let left = tokio::time::timeout(ms(n), call(&limits, &[A], secs(60))).await;
                    return left.ok().map(Result::unwrap);
                }
                Some(call(&limits, &[A], secs(60)).await.unwrap())
            });
            join_all(calls).await
        })
    };
    let permits = thread::scope(|scope| {
        let workers = [scope.spawn(worker), scope.spawn(worker)];
        workers.map(|worker| worker.join().unwrap()).concat()
    });
    let mut permits: Vec<_> = permits.into_iter().flatten().collect();
    permits.sort();
    assert!(permits.len() >= 100, "all who stayed went");
    assert!(most_within(&permits, ms(100)) <= 40);
    let state = limits.state(A);
    assert_eq!(
        (state.admitted, state.admitted + state.cancelled, state.waiting),
        (permits.len() as u64, 120, 0)
    );
}
