#!/usr/bin/env bash
# Ten thousand random operations, with every read after each write, and five thousand histories against the reference.
# MODEL_SEED=7 takes other histories.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
export WALK_OPERATIONS=10000 PROPTEST_CASES=5000 RUST_BACKTRACE=0
if [ -n "${MODEL_SEED-}" ]; then export PROPTEST_RNG_SEED=$MODEL_SEED; fi
exec cargo test -q --locked --test it -- --nocapture path::operations:: path::model::
