//! What histories have tried: how often an answer was come by in which way, and what became of writes.

/// How often what happened, so that a run can be seen to have tried it all.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Score {
    pub(super) hits: usize,
    pub(super) joined: usize,
    pub(super) partial: usize,
    pub(super) stale: usize,
    pub(super) overtaken: usize,
    pub(super) in_doubt: usize,
    pub(super) errors: usize,
    pub(super) unknown: usize,
    pub(super) late: usize,
    pub(super) acknowledged: usize,
}

impl Score {
    /// How an answer was come by.
    pub(super) fn count(&mut self, way: &str) {
        let stale = ["detail=stale", "detail=vendor", "detail=budget"];
        self.hits += usize::from(way == "easemob-gateway; hit");
        self.joined += usize::from(way.contains("collapsed"));
        self.partial += usize::from(way.contains("fwd=partial"));
        self.stale += usize::from(stale.iter().any(|detail| way.contains(detail)));
        self.overtaken += usize::from(way.contains("overtaken"));
        self.in_doubt += usize::from(way.contains("in-doubt"));
    }

    pub(super) fn add(&mut self, other: &Self) {
        let mut other = *other;
        let all = self.numbers().into_iter().zip(other.numbers());
        all.for_each(|((_, mine), (_, theirs))| *mine += *theirs);
    }

    /// Fails unless everything has happened often enough to have gone wrong.
    pub(super) fn assert_rich(&self, histories: usize) {
        println!("{histories} histories: {self:?}");
        for (what, count) in { *self }.numbers() {
            assert!(*count > histories / 50, "{what}: {count} in {histories} histories prove little");
        }
    }

    fn numbers(&mut self) -> [(&'static str, &mut usize); 10] {
        [
            ("hits", &mut self.hits),
            ("joined", &mut self.joined),
            ("partial", &mut self.partial),
            ("stale", &mut self.stale),
            ("overtaken", &mut self.overtaken),
            ("in doubt", &mut self.in_doubt),
            ("errors", &mut self.errors),
            ("unknown", &mut self.unknown),
            ("late", &mut self.late),
            ("acknowledged", &mut self.acknowledged),
        ]
    }
}
