//! Histograms as a worker writes them: plain counters of its own, added up and put into shape at a scrape.
//!
//! The library's own histogram is shared, and costs a hit twenty times what these do on two workers.

use super::Desk;
use super::cells::Cells;
use crate::exchange::CacheOutcome;
use prometheus::proto::{Bucket, Histogram, LabelPair, Metric, MetricFamily, MetricType};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// Upper bounds of times, in microseconds.
pub(super) const TIMES_US: &[u64] = &[
    250, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000,
    10_000_000,
];
/// Upper bounds of ages, in microseconds.
pub(super) const AGES_US: &[u64] = &[
    1_000_000,
    2_000_000,
    5_000_000,
    10_000_000,
    30_000_000,
    60_000_000,
    300_000_000,
    1_800_000_000,
    3_600_000_000,
];

/// Series with the same bounds.
#[derive(Debug)]
pub(super) struct Histograms {
    bounds_us: &'static [u64],
    /// For each series a counter for each bound, one for what is above, and the sum in microseconds.
    cells: Box<[AtomicU64]>,
}

/// One series, added up over the workers.
#[derive(Debug, Default, Clone)]
pub(super) struct Sum(Vec<u64>);

impl Histograms {
    pub(super) fn new(bounds_us: &'static [u64], series: usize) -> Self {
        let cells = (0..series * (bounds_us.len() + 2)).map(|_| AtomicU64::new(0)).collect();
        Self { bounds_us, cells }
    }

    pub(super) fn observe(&self, series: usize, value: Duration) {
        let us = value.as_micros() as u64;
        let from = series * (self.bounds_us.len() + 2);
        // Most values are small, and the bounds few.
        let bucket = self.bounds_us.iter().position(|bound| us <= *bound).unwrap_or(self.bounds_us.len());
        if let Some(cells) = self.cells.get(from..from + self.bounds_us.len() + 2) {
            cells[bucket].fetch_add(1, Relaxed);
            cells[self.bounds_us.len() + 1].fetch_add(us, Relaxed);
        }
    }

    /// Adds this worker's cells, series by series.
    pub(super) fn add_to(&self, sums: &mut Vec<Sum>) {
        let width = self.bounds_us.len() + 2;
        sums.resize_with(self.cells.len() / width, || Sum(vec![0; width]));
        for (sum, cells) in sums.iter_mut().zip(self.cells.chunks(width)) {
            sum.0.iter_mut().zip(cells).for_each(|(sum, cell)| *sum += cell.load(Relaxed));
        }
    }
}

impl Sum {
    fn count(&self) -> u64 {
        self.0.split_last().map_or(0, |(_, counts)| counts.iter().sum())
    }

    fn metric(&self, bounds_us: &[u64], labels: &[(&str, &str)]) -> Metric {
        let mut cumulative = 0;
        let buckets = bounds_us.iter().zip(&self.0).map(|(bound, count)| {
            cumulative += count;
            let mut bucket = Bucket::default();
            bucket.set_upper_bound(*bound as f64 / 1e6);
            bucket.set_cumulative_count(cumulative);
            bucket
        });
        let mut histogram = Histogram::default();
        histogram.set_bucket(buckets.collect());
        histogram.set_sample_count(self.count());
        histogram.set_sample_sum(self.0.last().copied().unwrap_or(0) as f64 / 1e6);
        let label = |(name, value): &(&str, &str)| {
            let mut label = LabelPair::default();
            label.set_name((*name).to_owned());
            label.set_value((*value).to_owned());
            label
        };
        let mut metric = Metric::from_label(labels.iter().map(label).collect());
        metric.set_histogram(histogram);
        metric
    }
}

/// A family in which each series that has counted anything shows. `labels` tells those of a series by its number.
pub(super) fn family<'l>(
    (name, help): (&str, &str),
    bounds_us: &[u64],
    sums: &[Sum],
    labels: impl Fn(usize) -> Vec<(&'l str, &'l str)>,
) -> Option<MetricFamily> {
    let seen = sums.iter().enumerate().filter(|(_, sum)| sum.count() > 0);
    let metrics: Vec<Metric> = seen.map(|(at, sum)| sum.metric(bounds_us, &labels(at))).collect();
    if metrics.is_empty() {
        return None;
    }
    let mut family = MetricFamily::default();
    family.set_name(name.to_owned());
    family.set_help(help.to_owned());
    family.set_field_type(MetricType::HISTOGRAM);
    family.set_metric(metrics);
    Some(family)
}

/// Times and ages: by family, so that their number stays small.
pub(super) fn all(desks: &[Arc<Desk>]) -> Vec<MetricFamily> {
    let Some(names) = desks.first().map(|desk| &desk.cells.families) else {
        return Vec::new();
    };
    let sum = |of: fn(&Cells) -> &Histograms| {
        let mut sums: Vec<Sum> = Vec::new();
        desks.iter().for_each(|desk| of(&desk.cells).add_to(&mut sums));
        sums
    };
    let outcomes = CacheOutcome::ALL.len();
    let by_family = |at: usize| vec![("family", names[at])];
    [
        family(
            (
                "gateway_request_duration_seconds",
                "From the end of a request's head to the last byte of its answer, by family and what the cache did.",
            ),
            TIMES_US,
            &sum(|cells| &cells.durations),
            |at| vec![("family", names[at / outcomes]), ("cache", CacheOutcome::ALL[at % outcomes].as_str())],
        ),
        family(
            (
                "gateway_vendor_call_duration_seconds",
                "From sending a call to the end of its answer, as far as that is read at once, by family.",
            ),
            TIMES_US,
            &sum(|cells| &cells.vendor_durations),
            by_family,
        ),
        family(
            ("gateway_cache_hit_age_seconds", "How old answers from memory were, by family."),
            AGES_US,
            &sum(|cells| &cells.ages),
            by_family,
        ),
    ]
    .into_iter()
    .flatten()
    .collect()
}
