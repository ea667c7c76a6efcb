//! The few statistics a report needs.

/// The value below which the share `quantile` (0 to 1) of the samples lies, by the nearest-rank method: always one of
/// the samples. Reorders them. `None` without samples.
pub fn percentile(samples: &mut [u32], quantile: f64) -> Option<u32> {
    let last = samples.len().checked_sub(1)?;
    let rank = (quantile * samples.len() as f64).ceil() as usize;
    let (_, value, _) = samples.select_nth_unstable(rank.saturating_sub(1).min(last));
    Some(*value)
}

/// The middle value, or the mean of the two middle ones. `None` without values.
pub fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let upper = *sorted.get(sorted.len() / 2)?;
    if sorted.len() % 2 == 1 {
        return Some(upper);
    }
    let lower = *sorted.get(sorted.len() / 2 - 1)?;
    Some((lower + upper) / 2.0)
}

/// The largest value. `None` without values.
pub fn maximum(values: &[f64]) -> Option<f64> {
    values.iter().copied().max_by(f64::total_cmp)
}

/// How far the values lie apart: largest minus smallest, as a share of the median. `None` without values.
pub fn spread(values: &[f64]) -> Option<f64> {
    let least = values.iter().copied().min_by(f64::total_cmp)?;
    Some((maximum(values)? - least) / median(values)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentile_is_the_nearest_rank() {
        let cases: &[(&[u32], f64, Option<u32>)] = &[
            (&[], 0.5, None),
            (&[7], 0.0, Some(7)),
            (&[7], 0.99, Some(7)),
            (&[3, 1, 2], 0.5, Some(2)),
            (&[4, 1, 3, 2], 0.5, Some(2)),
            (&[4, 1, 3, 2], 0.51, Some(3)),
            (&[4, 1, 3, 2], 1.0, Some(4)),
        ];
        for (samples, quantile, expected) in cases {
            assert_eq!(percentile(&mut samples.to_vec(), *quantile), *expected, "{samples:?} at {quantile}");
        }
        let mut hundred: Vec<u32> = (1..=100).rev().collect();
        assert_eq!(percentile(&mut hundred, 0.99), Some(99));
    }

    #[test]
    fn median_of_an_even_count_is_between_the_middle_two() {
        let cases: &[(&[f64], Option<f64>)] = &[
            (&[], None),
            (&[5.0], Some(5.0)),
            (&[9.0, 1.0], Some(5.0)),
            (&[9.0, 1.0, 2.0], Some(2.0)),
            (&[4.0, 1.0, 3.0, 2.0], Some(2.5)),
        ];
        for (values, expected) in cases {
            assert_eq!(median(values), *expected, "{values:?}");
        }
    }

    #[test]
    fn spread_is_relative_to_the_median() {
        assert_eq!(spread(&[100.0, 90.0, 110.0]), Some(0.2));
        assert_eq!(spread(&[100.0]), Some(0.0));
        assert_eq!(spread(&[]), None);
        assert_eq!(maximum(&[1.0, 3.0, 2.0]), Some(3.0));
    }
}
