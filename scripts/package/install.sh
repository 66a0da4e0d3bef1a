#!/bin/sh
# Installs Sallyport from the archive beside this script, below /usr/local, with units for systemd:
#   sh install.sh                     checks SHA256SUMS, the machine and its C library first
#   sh install.sh --uninstall         takes the program away; configuration, keys and state stay
#   sh install.sh --check             only says whether it would run here
# DESTDIR=DIR installs below DIR, for whoever makes an image.
set -eu

say() { printf 'install.sh: %s\n' "$*"; }
fail() { printf 'install.sh: %s\n' "$*" >&2; exit 1; }

here=$(cd "$(dirname "$0")" && pwd)
root=${DESTDIR:-}
glibc=@GLIBC@

check_machine() {
  [ "$(uname -s)" = Linux ] || fail "this is for Linux, and here is $(uname -s); from source it runs wherever Deno does"
  case $(uname -m) in
    x86_64) arch=amd64 ;;
    aarch64 | arm64) arch=arm64 ;;
    armv*) fail "32-bit ARM: the Deno runtime does not exist for it, so Sallyport cannot run here" ;;
    mips*) fail "MIPS: the Deno runtime does not exist for it, so Sallyport cannot run here" ;;
    *) fail "$(uname -m): there is a runtime for x86_64 and aarch64 alone, so Sallyport cannot run here" ;;
  esac
  # A 64-bit kernel may have a 32-bit system on it, as on some Raspberry Pis.
  bits=$(getconf LONG_BIT 2>/dev/null || echo 64)
  [ "$bits" = 64 ] || fail "the system is a $bits-bit one on a 64-bit kernel, and the program needs a 64-bit system"
  version=$(getconf GNU_LIBC_VERSION 2>/dev/null) || version=
  case $version in
    "glibc "*) version=${version#glibc } ;;
    *)
      if ls /lib/ld-musl-* >/dev/null 2>&1; then
        fail "the C library here is musl (Alpine, OpenWrt), and the Deno runtime needs glibc; use a Debian container"
      fi
      fail "no glibc was found here, which the Deno runtime needs"
      ;;
  esac
  oldest=$(printf '%s\n%s\n' "$version" "$glibc" | sort -t. -k1,1n -k2,2n | head -n 1)
  [ "$oldest" = "$glibc" ] || fail "glibc is $version here, and has to be $glibc or newer"
}

find_archive() {
  archive=
  for each in "$here"/sallyport-*-linux-"$arch".tar.gz; do
    [ -e "$each" ] || fail "there is no sallyport-VERSION-linux-$arch.tar.gz beside this script, in $here"
    [ -z "$archive" ] || fail "there are several archives for $arch in $here; leave one"
    archive=$each
  done
  [ -e "$here/SHA256SUMS" ] || fail "there is no SHA256SUMS beside this script to check the archive with"
  name=$(basename "$archive")
  line=$(grep "  $name\$" "$here/SHA256SUMS") || fail "SHA256SUMS has no line for $name"
  (cd "$here" && printf '%s\n' "$line" | sha256sum -c - >/dev/null 2>&1) ||
    fail "$name is not what SHA256SUMS says: it is damaged, or not ours; nothing was installed"
}

is_running_system() { [ -z "$root" ] && [ -d /run/systemd/system ]; }

install_files() {
  unpacked=$(mktemp -d)
  trap 'rm -rf "$unpacked"' EXIT
  tar -xzf "$archive" -C "$unpacked" --no-same-owner
  # The program is put in place in one step: one that runs goes on with the old file.
  (cd "$unpacked" && find usr -type f) | while read -r file; do
    mkdir -p "$root/$(dirname "$file")"
    cp "$unpacked/$file" "$root/$file.new"
    mv "$root/$file.new" "$root/$file"
  done
  (cd "$unpacked" && find usr -type f) >"$root/usr/local/share/doc/sallyport/files"
  mkdir -p "$root/etc/sallyport"
  for file in server.toml device.toml; do # what is there is somebody's own
    [ -e "$root/etc/sallyport/$file" ] || cp "$unpacked/etc/sallyport/$file" "$root/etc/sallyport/$file"
  done
}

make_user() {
  [ -z "$root" ] || return 0
  if ! getent passwd sallyport >/dev/null; then
    useradd --system --user-group --home-dir /var/lib/sallyport --no-create-home --shell "$(command -v nologin || echo /bin/false)" \
      --comment "Sallyport relay" sallyport
    chgrp sallyport /etc/sallyport
    chmod 0750 /etc/sallyport
  fi
  [ -e /var/lib/sallyport ] || install -d -m 0700 -o sallyport -g sallyport /var/lib/sallyport
}

uninstall() {
  list=$root/usr/local/share/doc/sallyport/files
  [ -e "$list" ] || fail "nothing was installed by this script below ${root:-/}"
  for unit in sallyport-server sallyport-device sallyport-canserver; do
    if is_running_system; then systemctl --quiet disable --now "$unit.service" 2>/dev/null || true; fi
  done
  while read -r file; do rm -f "$root/$file"; done <"$list"
  rm -rf "$root/usr/local/share/doc/sallyport"
  if is_running_system; then systemctl daemon-reload; fi
  say "taken away; /etc/sallyport, /var/lib/sallyport and the user sallyport stay"
}

case ${1:-} in
  "" | --check | --uninstall) ;;
  *) fail "unknown option $1; there are --check and --uninstall" ;;
esac
if [ "${1:-}" = --uninstall ]; then uninstall; exit; fi
check_machine
if [ "${1:-}" = --check ]; then say "it runs here: $arch, glibc $version"; exit; fi
[ -n "$root" ] || [ "$(id -u)" = 0 ] || fail "installing takes root; run it with sudo"
find_archive
install_files
make_user
if is_running_system; then
  systemctl daemon-reload
  systemctl try-restart sallyport-server.service sallyport-device.service sallyport-canserver.service || true
fi
say "installed $root/usr/local/bin/sallyport; next: man sallyport, or $root/usr/local/share/doc/sallyport/docs/install.md"
