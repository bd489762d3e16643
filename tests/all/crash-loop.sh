#!/usr/bin/env bash
# Kills the gateway at random moments, a hundred times over, and counts what the stand-in for the vendor was asked:
# bash tests/all/crash-loop.sh. PROGRAM names another build, KILLS another number.
#
# Once with a vendor that answers slowly, so that many die while they ask or write, and once with one that grants
# nothing. In each case at most the budget of token requests may arrive, whatever was killed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

kills=${KILLS:-100} budget=6
work=$(mktemp -d) vendor='' gateway=''
trap 'kill -9 $vendor $gateway 2>/dev/null || true; rm -rf "$work"' EXIT
program=${PROGRAM:-target/release/easemob-gateway}
[ -n "${PROGRAM-}" ] || cargo build --release --locked --quiet

fail() {
    echo "crash-loop: $1" >&2
    exit 1
}

# Starts a stand-in, and leaves its address and the configuration of a gateway before it.
vendor_up() {
    "$program" simulate --listen 127.0.0.1:0 >"$work/vendor" &
    vendor=$!
    for _ in {1..100}; do
        address=$(sed -n 's#.*http://\([0-9.:]*\)/.*#\1#p' "$work/vendor")
        [ -z "$address" ] || break
        sleep 0.05
    done
    [ -n "$address" ] || fail 'the stand-in does not start'
    rm -rf "$work/state"
    cat >"$work/gateway.toml" <<TOML
[vendor]
origin = "http://$address"
org = "easemob-demo"
app = "chat"
client_id = "demo-client"
client_secret = "demo-secret"
[listen]
address = "127.0.0.1:0"
[admin]
address = "127.0.0.1:0"
[token]
state_dir = "state"
TOML
}

control() {
    curl -sf "http://$address/_control/$1" ${2:+-d "$2"}
}

asked() {
    control counters | tr -d ' \n' | sed -n 's/.*"token_requests":\[\([^]]*\)\].*/\1/p' | tr ',' '\n' | grep -c . || true
}

# Some die before they have read anything, some while they ask, some with a token.
kill_many() {
    local n began=$SECONDS
    for ((n = 0; n < kills; n++)); do
        "$program" serve --config "$work/gateway.toml" >/dev/null 2>&1 &
        gateway=$!
        sleep "0.$(printf '%03d' $((RANDOM % 250)))"
        kill -9 "$gateway"
        wait "$gateway" 2>/dev/null || true
        # Beyond the budget the next one may be asked for after ten minutes.
        [ $((SECONDS - began)) -lt 540 ] || fail 'too slow to tell'
    done
    gateway=''
}

vendor_down() {
    kill -9 "$vendor"
    wait "$vendor" 2>/dev/null || true
    vendor=''
}

vendor_up
control latency '{"ms":60}' >/dev/null
# Tokens that end at once are wanted anew by most of the processes.
control ttl '{"seconds":3}' >/dev/null
kill_many
slow=$(asked)
[ "$slow" -ge 1 ] && [ "$slow" -le "$budget" ] || fail "$slow token requests with a slow vendor"
vendor_down

vendor_up
control next '{"path":"/token","status":503,"times":1000000}' >/dev/null
kill_many
none=$(asked)
[ "$none" = "$budget" ] || fail "$none token requests with a vendor that grants nothing, not $budget"
vendor_down

echo "$kills kills each: $slow token requests with a slow vendor, $none with one that grants nothing"
