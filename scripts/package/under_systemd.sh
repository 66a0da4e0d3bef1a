#!/bin/sh
# What `deno task package -- --try` does in its Debian system while systemd runs there. Writes /result: "works", or what
# failed. $1: its platform, as Debian calls it.
set -eu
export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8

fail() {
  systemctl status --no-pager --lines 20 sallyport-server sallyport-device || true
  echo "failed: $*" >/result
  exit 1
}
value() { systemctl show --property "$2" --value "$1"; }
wait_for() { # UNIT PROPERTY VALUE
  for _ in $(seq 150); do
    if [ "$(value "$1" "$2")" = "$3" ]; then return; fi
    sleep 0.1
  done
  fail "$1: $2 is $(value "$1" "$2"), not $3"
}

dpkg --install /packages/sallyport_*_"$1".deb
[ "$(value sallyport-server ActiveState)" = inactive ] || fail "the package starts the server by itself"
systemctl start sallyport-server || fail "the server does not become ready"
[ "$(value sallyport-server StatusText)" = "0 devices, 0 clients" ] || fail "its status is $(value sallyport-server StatusText)"
string=$(sallyport server enroll gw1 --service echo=127.0.0.1:2201 --public-address 127.0.0.1)
sallyport device join "$string" --service echo=127.0.0.1:7007 --once || fail "root cannot join"
systemctl start sallyport-device || fail "the device does not become ready"
wait_for sallyport-server StatusText "1 device, 0 clients"
wait_for sallyport-device StatusText "online at 127.0.0.1:7443 as gw1"
[ "$(stat -c %U /var/lib/sallyport/server/identity.pem)" = sallyport ] || fail "the state is not the user's"
if journalctl --boot --output cat --unit sallyport-server | grep 'engine'; then fail "not the native engine, or it said so"; fi
systemctl reload sallyport-server || fail "it does not reload"
wait_for sallyport-server StatusText "1 device, 0 clients"

# A loop that stands still is killed and started again.
mkdir -p /run/systemd/system/sallyport-device.service.d
printf '[Service]\nWatchdogSec=2\n' >/run/systemd/system/sallyport-device.service.d/try.conf
systemctl daemon-reload
systemctl restart sallyport-device
wait_for sallyport-device StatusText "online at 127.0.0.1:7443 as gw1"
kill -STOP "$(value sallyport-device MainPID)"
wait_for sallyport-device NRestarts 1
wait_for sallyport-device StatusText "online at 127.0.0.1:7443 as gw1"

before=$(value sallyport-server MainPID)
dpkg --install /packages/next/sallyport_*_"$1".deb
wait_for sallyport-server ActiveState active
[ "$(value sallyport-server MainPID)" != "$before" ] || fail "an upgrade leaves the old server running"
wait_for sallyport-server StatusText "1 device, 0 clients"
systemd-analyze security --no-pager sallyport-server sallyport-device | tail -n 2 || true
dpkg --remove sallyport
[ "$(value sallyport-server ActiveState)" = inactive ] || fail "a removal leaves the server running"
echo works >/result
