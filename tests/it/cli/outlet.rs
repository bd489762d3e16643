//! The log's way out: whoever does not read it, or cannot, holds up nobody.

use easemob_gateway::telemetry::outlet::{BYTES_MAX, Outlet};
use std::io::{self, Write};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

const LONG: Duration = Duration::from_secs(60);

/// Takes a line each time that it is let.
struct Slow {
    let_go: Receiver<()>,
    begun: Sender<()>,
    taken: Arc<Mutex<Vec<u8>>>,
}

impl Write for Slow {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        let _ = self.begun.send(());
        let _ = self.let_go.recv();
        self.taken.lock().unwrap().extend_from_slice(text);
        Ok(text.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

struct Broken;

impl Write for Broken {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::StorageFull.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Err(io::ErrorKind::StorageFull.into())
    }
}

#[test]
fn who_does_not_read_the_log_holds_up_nobody_and_loses_what_is_too_much() {
    let ((go, let_go), (begun, begins)) = (channel(), channel());
    let taken = Arc::default();
    let mut outlet = Outlet::to(Slow { let_go, begun, taken: Arc::clone(&taken) }).unwrap();
    outlet.write_all(b"first").unwrap();
    begins.recv().unwrap();
    // It stands; twice as much as may wait is said all the same, and nothing of it waits for room.
    let block = vec![b'x'; BYTES_MAX / 4];
    for _ in 0..8 {
        outlet.write_all(&block).unwrap();
    }
    drop(go);
    outlet.flush(LONG);
    assert_eq!(taken.lock().unwrap().len(), 5 + 3 * block.len(), "what fits beside the first");
    // There is room again.
    outlet.write_all(b"last").unwrap();
    outlet.flush(LONG);
    assert!(taken.lock().unwrap().ends_with(b"last"));
}

#[test]
fn a_log_that_cannot_be_written_is_no_error() {
    let mut outlet = Outlet::to(Broken).unwrap();
    for _ in 0..100 {
        outlet.write_all(b"a line\n").unwrap();
    }
    outlet.flush(LONG);
}
