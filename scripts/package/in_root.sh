#!/bin/sh
# What `deno task package -- --try` does within the Debian system that it made. $1: its platform, as Debian calls it.
set -eu
export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
arch=$1
cd /packages

step() { printf '  %s\n' "$*"; }
fail() { printf 'failed: %s\n' "$*" >&2; exit 1; }
holds() { # WHAT COMMAND…
  what=$1
  shift
  "$@" >/tmp/output 2>&1 || { cat /tmp/output >&2; fail "$what: $*"; }
}
holds_not() { # WHAT COMMAND…
  what=$1
  shift
  if "$@" >/tmp/output 2>&1; then fail "$what: $*"; fi
}

wait_for() { # FILE TEXT
  for _ in $(seq 150); do
    if grep -q "$2" "$1" 2>/dev/null; then return; fi
    sleep 0.1
  done
  cat "$1" >&2
  fail "waited 15 s for $2 in $1"
}

# A service behind a device, and bytes to it and back by the server's port. $1 is the program.
relay() {
  state=$(mktemp -d)
  chown sallyport "$state"
  perl -MIO::Socket::INET -e '
    my $server = IO::Socket::INET->new(LocalAddr => "127.0.0.1:7007", Listen => 5, ReuseAddr => 1) or die;
    while (my $client = $server->accept) { while (sysread($client, my $bytes, 4096)) { syswrite($client, $bytes) } }' &
  echo=$!
  setpriv --reuid sallyport --regid sallyport --clear-groups "$1" server --config /etc/sallyport/server.toml \
    --state "$state" --listen 127.0.0.1:7443 >"$state.server" 2>&1 &
  server=$!
  wait_for "$state.server" '^listening '
  string=$("$1" server enroll gw1 --service echo=127.0.0.1:2201 --public-address 127.0.0.1 --state "$state" 2>/dev/null)
  "$1" device join "$string" --service echo=127.0.0.1:7007 --state "$state/gw1" >"$state.device" 2>&1 &
  device=$!
  wait_for "$state.device" '^service echo 127.0.0.1:2201'
  answer=$(timeout 10 bash -c 'exec 3<>/dev/tcp/127.0.0.1/2201; echo through the relay >&3; read -r line <&3; echo "$line"')
  [ "$answer" = "through the relay" ] || fail "the relay said \"$answer\""
  kill -TERM "$device" "$server"
  wait "$device" || fail "the device ended with $?"
  wait "$server" || fail "the server ended with $?"
  kill "$echo"
  wait "$echo" 2>/dev/null || true
  rm -rf "$state" "$state.server" "$state.device"
}

step "installing the package"
holds "it installs" dpkg --install sallyport_*_"$arch".deb
version=$(dpkg-query --showformat '${Version}' --show sallyport)
[ "$(sallyport --version)" = "$version" ] || fail "sallyport --version says $(sallyport --version)"
holds "the package is whole" dpkg --verify sallyport
holds "there is a user" getent passwd sallyport
[ "$(stat -c '%U %G %a' /etc/sallyport)" = "root sallyport 750" ] || fail "/etc/sallyport: $(stat -c '%U %G %a' /etc/sallyport)"
[ "$(stat -c '%U %G %a' /var/lib/sallyport)" = "sallyport sallyport 700" ] || fail "/var/lib/sallyport has other rights"
holds "the configuration is sound" sallyport server --config /etc/sallyport/server.toml --check
sallyport server --check | grep '^engine' | sed 's/^/  /'
holds "bash takes its completion" bash -n /usr/share/bash-completion/completions/sallyport

step "a relay, with the installed program"
relay /usr/bin/sallyport

step "an upgrade keeps what was changed"
echo '# changed here' >>/etc/sallyport/server.toml
chmod 0755 /etc/sallyport
echo kept >/var/lib/sallyport/state
holds "it upgrades" dpkg --install next/sallyport_*_"$arch".deb
[ "$(dpkg-query --showformat '${Version}' --show sallyport)" != "$version" ] || fail "it is the same version still"
holds "the configuration was kept" grep -q '^# changed here' /etc/sallyport/server.toml
[ "$(stat -c %a /etc/sallyport)" = 755 ] || fail "an upgrade took back the rights of /etc/sallyport"

step "a removal keeps configuration and state"
holds "it is removed" dpkg --remove sallyport
[ ! -e /usr/bin/sallyport ] || fail "/usr/bin/sallyport is still there"
holds "the configuration stays" test -e /etc/sallyport/server.toml
holds "the state stays" test -e /var/lib/sallyport/state

step "a purge leaves nothing but the user"
holds "it is purged" dpkg --purge sallyport
for path in /etc/sallyport /var/lib/sallyport /usr/share/doc/sallyport /usr/lib/systemd/system/sallyport-server.service; do
  [ ! -e "$path" ] || fail "$path is still there"
done

step "install.sh, from the archive"
holds "it says that it runs here" sh install.sh --check
holds "it installs" sh install.sh
[ "$(/usr/local/bin/sallyport --version)" = "$version" ] || fail "it is another version"
relay /usr/local/bin/sallyport
echo '# changed here' >>/etc/sallyport/device.toml
holds "it installs over itself" sh install.sh
holds "the configuration was kept" grep -q '^# changed here' /etc/sallyport/device.toml
cp -r /packages /tmp/damaged
printf x >>"$(ls /tmp/damaged/sallyport-*-linux-"$arch".tar.gz)"
holds_not "a damaged archive is refused" sh /tmp/damaged/install.sh
grep -q 'SHA256SUMS says' /tmp/output || fail "install.sh does not say that the archive is damaged"
rm -rf /tmp/damaged
holds "it is taken away" sh install.sh --uninstall
[ ! -e /usr/local/bin/sallyport ] || fail "/usr/local/bin/sallyport is still there"
[ -z "$(find /usr/local -name '*sallyport*')" ] || fail "left behind: $(find /usr/local -name '*sallyport*')"

step "the image: nothing but the program and its libraries"
mkdir /image /layout
tar -xf sallyport-*-oci.tar -C /layout
blob() { sed 's|^sha256:|/layout/blobs/sha256/|'; }
named() { grep -o '"digest":"sha256:[0-9a-f]*"' "$1" | cut -d'"' -f4; }
manifest=$(named /layout/index.json | head -n 1 | blob)
for layer in $(named "$manifest" | tail -n +2 | blob); do
  [ "$(sha256sum "$layer" | cut -d' ' -f1)" = "${layer##*/}" ] || fail "$layer is not what its name says"
  tar -xzf "$layer" -C /image
done
mkdir /image/proc
mount -t proc proc /image/proc # as whatever runs containers does
[ "$(chroot /image /usr/bin/sallyport --version)" = "$version" ] || fail "the program does not run in the image"
holds "it runs as its user" chroot --userspec=65532:65532 /image /usr/bin/sallyport server --state /var/lib/sallyport --check
grep '^engine' /tmp/output | sed 's/^/  /'
