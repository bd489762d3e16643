#!/usr/bin/env bash
# Ten thousand idle connections, two thousand active ones, and half an hour of mixed load with faults.
# SOAK_SECONDS=60 makes it a minute.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
ulimit -n "$(ulimit -Hn)"
exec cargo bench -q --locked --bench soak -- --seconds "${SOAK_SECONDS:-1800}"
