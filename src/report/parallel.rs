//! Parts of a report that several threads create, in their order.

use std::num::NonZero;
use std::thread;

/// Maximum number of threads. Each has one part in memory.
const MAX_THREADS: usize = 8;

/// Applies `make` to every item on several threads and passes the results to `take` in the order of the items.
///
/// # Errors
/// The first error of `take`. The results of later items are dropped.
pub(super) fn each<T: Sync, R: Send, E>(
    items: &[T],
    make: impl Fn(&T) -> R + Sync,
    mut take: impl FnMut(R) -> Result<(), E>,
) -> Result<(), E> {
    let threads = thread::available_parallelism().map_or(1, NonZero::get).min(MAX_THREADS);
    let make = &make;
    for group in items.chunks(threads) {
        if let [one] = group {
            take(make(one))?;
            continue;
        }
        let made: Vec<R> = thread::scope(|scope| {
            let running: Vec<_> = group.iter().map(|item| scope.spawn(move || make(item))).collect();
            running.into_iter().map(|one| one.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))).collect()
        });
        made.into_iter().try_for_each(&mut take)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::each;

    #[test]
    fn each_keeps_the_order_of_items() {
        let items: Vec<u32> = (0..100).collect();
        let mut taken = Vec::new();
        let done: Result<(), ()> = each(
            &items,
            |item| item * 2,
            |made| {
                taken.push(made);
                Ok(())
            },
        );
        assert_eq!(done, Ok(()));
        assert_eq!(taken, items.iter().map(|item| item * 2).collect::<Vec<_>>());
    }

    #[test]
    fn each_stops_after_an_error() {
        let mut taken = 0;
        let done = each(
            &[1, 2, 3, 4],
            |item| *item,
            |made| {
                taken += 1;
                if made == 2 { Err(made) } else { Ok(()) }
            },
        );
        assert_eq!((done, taken), (Err(2), 2));
    }
}
