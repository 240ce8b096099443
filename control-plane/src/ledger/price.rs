//! What an exchange costs. $1 per 1,000,000 tokens is one micro-dollar a token.
//!
//! Invariant: exact until the one rounding, half to even.

use crate::snapshot::Versioned;
use rust_decimal::Decimal;
use sluice::config::{Model, Prices, Record, Usage, UsageSource};
use std::collections::BTreeMap;

/// Decimal places of the finest price that a model may have.
const SCALE: u32 = 9;
/// [`SCALE`] as a divisor.
const UNIT: u128 = 1_000_000_000;
/// The most that one exchange costs: with it, no sum of a ledger's lifetime overflows.
const MAX_COST: u64 = 1 << 50;

/// Micro-dollars. Nothing, unless a provider served it and something was used; nothing, too, for models without
/// prices. `None` where something was used of a model that is not in the catalog, or of one that nobody named: what it cost
/// is not known.
pub(super) fn of_record(record: &Record, models: &BTreeMap<String, Versioned<Model>>) -> Option<u64> {
    let served = record.provider.is_some() && record.usage_source != UsageSource::None && record.status < 400;
    if !served {
        return Some(0);
    }
    match record.model.as_ref().and_then(|id| known(id, models)) {
        Some(model) => Some(of_usage(&record.usage, &model.value.prices)),
        None => (record.usage == Usage::default()).then_some(0),
    }
}

/// The model of an id or alias.
fn known<'a>(id: &String, models: &'a BTreeMap<String, Versioned<Model>>) -> Option<&'a Versioned<Model>> {
    models.get(id).or_else(|| models.values().find(|model| model.value.aliases.contains(id)))
}

/// The public id of the model that `provider` sells under an id of its own; `None` if the catalog has that id itself, if
/// no channel has it, or channels of several models.
pub(super) fn sold_as(
    upstream_id: &String,
    provider: &str,
    models: &BTreeMap<String, Versioned<Model>>,
) -> Option<String> {
    if known(upstream_id, models).is_some() {
        return None;
    }
    let mut sold = models.values().map(|model| &model.value).filter(|model| {
        let mut channels = model.channels.iter();
        channels.any(|channel| channel.provider == provider && channel.upstream_id == *upstream_id)
    });
    let only = sold.next().filter(|_| sold.next().is_none());
    only.map(|model| model.id.clone())
}

/// Micro-dollars for `usage` at `prices`. Counts that contradict each other (more cached than all) never make a
/// negative part.
fn of_usage(usage: &Usage, prices: &Prices) -> u64 {
    let input = units(prices.input.as_ref());
    let output = units(prices.output.as_ref());
    let or = |price: &Option<String>, coarse| price.as_ref().map_or(coarse, |price| units(Some(price)));
    let parts = [
        (usage.input.saturating_sub(usage.cached).saturating_sub(usage.cache_write), input),
        (usage.cached, or(&prices.cached_input, input)),
        (usage.cache_write, or(&prices.cache_write, input)),
        (usage.output.saturating_sub(usage.reasoning), output),
        (usage.reasoning, or(&prices.reasoning, output)),
    ];
    // A price has at most 18 digits and a count 64 bits: five products stay below 2^127.
    let total: u128 = parts.into_iter().map(|(tokens, price)| u128::from(tokens) * price).sum();
    let (whole, rest) = (total / UNIT, total % UNIT);
    let up = rest * 2 > UNIT || (rest * 2 == UNIT && whole % 2 == 1);
    u64::try_from(whole + u128::from(up)).unwrap_or(MAX_COST).min(MAX_COST)
}

/// A price in billionths. Stored prices have passed `Model::validate`, so that they are plain decimals of at most
/// nine places; none is free.
fn units(price: Option<&String>) -> u128 {
    let Some(mut price) = price.and_then(|price| Decimal::from_str_exact(price).ok()) else { return 0 };
    price.rescale(SCALE);
    u128::try_from(price.mantissa()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rust_decimal::RoundingStrategy;
    use rust_decimal::prelude::ToPrimitive;

    fn prices(all: [Option<&str>; 5]) -> Prices {
        let [input, cached_input, cache_write, output, reasoning] = all.map(|price| price.map(str::to_owned));
        Prices { input, cached_input, cache_write, output, reasoning }
    }

    fn usage(all: [u64; 5]) -> Usage {
        let [input, cached, cache_write, output, reasoning] = all;
        Usage { input, cached, cache_write, output, reasoning, images: 0 }
    }

    #[test]
    fn a_dollar_per_million_is_a_micro_dollar_a_token() {
        let all = prices([Some("1"), None, None, Some("2"), None]);
        assert_eq!(of_usage(&usage([1000, 0, 0, 0, 0]), &all), 1000);
        assert_eq!(of_usage(&usage([1000, 900, 50, 10, 5]), &all), 1020);
    }

    #[test]
    fn each_kind_has_its_price() {
        let all = prices([Some("3"), Some("0.3"), Some("3.75"), Some("15"), Some("20")]);
        assert_eq!(of_usage(&usage([1000, 600, 100, 50, 20]), &all), 300 * 3 + 180 + 375 + 30 * 15 + 20 * 20);
    }

    #[test]
    fn rounds_once_and_half_to_even() {
        let half = prices([Some("0.5"), None, None, Some("0.5"), None]);
        assert_eq!(of_usage(&usage([1, 0, 0, 0, 0]), &half), 0);
        assert_eq!(of_usage(&usage([3, 0, 0, 0, 0]), &half), 2);
        assert_eq!(of_usage(&usage([1, 0, 0, 1, 0]), &half), 1, "two halves are one, not two zeros");
        assert_eq!(
            of_usage(&usage([1, 0, 0, 0, 0]), &prices([Some("0.500000001"), None, None, None, None])),
            1
        );
    }

    #[test]
    fn contradictory_counts_are_never_negative() {
        let all = prices([Some("1"), Some("0.1"), None, Some("1"), None]);
        assert_eq!(of_usage(&usage([10, 100, 0, 5, 50]), &all), 10 + 50);
        assert_eq!(of_usage(&usage([u64::MAX; 5]), &prices([Some("999999999.999999999"); 5])), MAX_COST);
    }

    fn price() -> impl Strategy<Value = Option<String>> {
        let text = (0u32..5000, 0u32..1_000_000_000, 1usize..=9)
            .prop_map(|(whole, part, digits)| format!("{whole}.{:.digits$}", format!("{part:09}")));
        prop::option::of(text)
    }

    fn decimal(text: Option<&String>) -> Decimal {
        text.map_or(Decimal::ZERO, |text| text.parse().unwrap())
    }

    proptest! {
        #[test]
        fn cost_is_the_exact_sum_rounded_once(
            all in [price(), price(), price(), price(), price()],
            counts in prop::array::uniform5(0u64..10_000_000),
        ) {
            let [input, cached_input, cache_write, output, reasoning] = all;
            let prices = Prices { input, cached_input, cache_write, output, reasoning };
            let used = usage(counts);
            let uncached = used.input.saturating_sub(used.cached).saturating_sub(used.cache_write);
            let exact = Decimal::from(uncached) * decimal(prices.input.as_ref())
                + Decimal::from(used.cached) * decimal(prices.cached_input.as_ref().or(prices.input.as_ref()))
                + Decimal::from(used.cache_write) * decimal(prices.cache_write.as_ref().or(prices.input.as_ref()))
                + Decimal::from(used.output.saturating_sub(used.reasoning)) * decimal(prices.output.as_ref())
                + Decimal::from(used.reasoning) * decimal(prices.reasoning.as_ref().or(prices.output.as_ref()));
            let rounded = exact.round_dp_with_strategy(0, RoundingStrategy::MidpointNearestEven);
            prop_assert_eq!(Some(of_usage(&used, &prices)), rounded.to_u64());
        }
    }
}
