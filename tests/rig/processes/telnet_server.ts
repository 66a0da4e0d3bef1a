/**
 * A real telnet server, started for each connection as inetd would do it.
 *
 * @module
 */

import assert from "node:assert/strict";
import { Child } from "./child.ts";
import { find } from "./programs.ts";
import { TempFolder } from "../temp_folder.ts";

/** telnetd wants its connection as its stdin, which takes a program that can hand one over. */
const INETD = `
use strict; use IO::Socket::INET; use POSIX ();
$SIG{CHLD} = "IGNORE";
my $listener = IO::Socket::INET->new(LocalAddr => "127.0.0.1", LocalPort => 0, Listen => 16) or die $!;
$| = 1; print "port ", $listener->sockport, "\\n";
while (my $connection = $listener->accept) {
  if (fork == 0) {
    POSIX::dup2(fileno($connection), $_) for 0, 1, 2;
    exec @ARGV;
  }
  close $connection;
}
`;

/** What stands in for the login program: it greets, and answers line by line. */
const LOGIN = `#!/bin/sh
echo "Welcome to the device"
while read -r line; do
  case "$line" in
    bye*) echo "Goodbye";;
    quit*) exit 0;; # telnetd may lose what was printed just before
    *) echo "You said: $line";;
  esac
done
`;

export class TelnetServer implements AsyncDisposable {
  /** Where it listens, on 127.0.0.1. */
  readonly port: number;
  readonly #inetd: Child;
  readonly #folder: TempFolder;

  private constructor(port: number, inetd: Child, folder: TempFolder) {
    this.port = port;
    this.#inetd = inetd;
    this.#folder = folder;
  }

  /** Starts, and waits until it listens. */
  static async start(): Promise<TelnetServer> {
    const folder = new TempFolder();
    const login = folder.write("login", LOGIN, 0o755);
    const inetd = Child.start("inetd", [find("perl")!, "-e", INETD, find("telnetd")!, "-h", "-E", login]);
    try {
      const [, port] = await inetd.line(/^port (\d+)$/);
      return new TelnetServer(Number(port), inetd, folder);
    } catch (error) {
      await inetd.kill();
      folder[Symbol.dispose]();
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#inetd.kill();
    this.#folder[Symbol.dispose]();
  }
}

/** A conversation of the real client with the server behind `port`, which ends it. */
export async function telnetConversation(port: number): Promise<void> {
  // telnet gives its connection up when its stdin ends, so that has to stay open: what is typed goes through a pipe.
  using folder = new TempFolder();
  const pipe = `${folder.path}/keys`;
  await using _made = await Child.run("mkfifo", ["mkfifo", pipe]);
  await using telnet = Child.start("telnet", ["sh", "-c", `exec telnet 127.0.0.1 ${port} <> ${pipe}`]);
  using keys = await Deno.open(pipe, { read: true, write: true });
  const type = (line: string) => keys.write(new TextEncoder().encode(`${line}\n`));
  await telnet.line(/Welcome to the device/);
  await type("hello there");
  await telnet.line(/You said: hello there/);
  await type("bye");
  await telnet.line(/Goodbye/);
  await type("quit");
  await telnet.end();
  assert.match(telnet.stderr.join("\n"), /Connection closed by foreign host/);
}
