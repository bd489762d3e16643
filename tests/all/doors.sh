#!/usr/bin/env bash
# What must stay flat and what must not be lost: a thousand uploads of 10 MB one after another and a thousand fifty at
# once, ten thousand connections that send one byte a second, ten reloads and the end under two thousand requests a second.
# UPLOADS, DRIPS and RELOADS name other numbers.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
ulimit -n "$(ulimit -Hn)"
exec cargo bench -q --locked --bench soak -- --seconds 0 --idle 0 --active 0 \
    --uploads "${UPLOADS:-1000}" --drips "${DRIPS:-10000}" --reloads "${RELOADS:-10}"
