/**
 * `ssh -R` through a private sshd with keys of its own, in a directory of its own.
 *
 * @module
 */

import { userInfo } from "node:os";
import type { Child } from "../../tests/rig/processes/child.ts";
import { find } from "../../tests/rig/processes/programs.ts";
import { freePort } from "../../tests/rig/ports.ts";
import { startChild } from "../child.ts";
import { processTree } from "../../tests/rig/processes/proc_stats.ts";
import type { Machine, RunningTarget, Target } from "./target.ts";

const PROGRAMS = ["ssh", "sshd", "ssh-keygen"];

let instances = 0;

/** A remote forward of OpenSSH. */
export const sshR: Target = {
  name: "ssh -R",

  needs() {
    const absent = PROGRAMS.filter((name) => find(name) === undefined);
    if (absent.length === 0) return undefined;
    return `no ${absent.join(", ")}; install it with: apt-get install openssh-client openssh-server`;
  },

  async start(servicePort, { directory, server, device }) {
    const home = `${directory}/ssh-${++instances}`;
    await Deno.mkdir(home, { mode: 0o700 });
    await Promise.all(["host", "user"].map((name) => makeKey(`${home}/${name}`)));
    await Deno.copyFile(`${home}/user.pub`, `${home}/authorized_keys`);
    const { port, child: sshd } = await startSshd(home, server);
    const hostKey = await Deno.readTextFile(`${home}/host.pub`);
    await Deno.writeTextFile(`${home}/known_hosts`, `[${server.address}]:${port} ${hostKey}`);
    const ssh = startChild("ssh", [
      ...device.prefix,
      find("ssh")!,
      ...["-N", "-F", "none", "-p", `${port}`, "-i", `${home}/user`],
      ...["-R", `127.0.0.1:0:127.0.0.1:${servicePort}`],
      ...options({
        BatchMode: "yes",
        IdentitiesOnly: "yes",
        IdentityAgent: "none",
        StrictHostKeyChecking: "yes",
        UserKnownHostsFile: `${home}/known_hosts`,
        ExitOnForwardFailure: "yes",
      }),
      `${userInfo().username}@${server.address}`,
    ]);
    const stop = async () => {
      await ssh.stop(); // first, so that its session of sshd ends with it
      await sshd.stop();
      await Deno.remove(home, { recursive: true });
    };
    try {
      const [, hostPort] = await ssh.logLine(
        (line) => /^Allocated port (\d+) for remote forward/.exec(line) ?? undefined,
        "the port of the remote forward",
      );
      return running(Number(hostPort), sshd, ssh, stop);
    } catch (error) {
      await stop();
      throw new Error(`ssh -R did not start; sshd said: ${sshd.tail}`, { cause: error });
    }
  },
};

function running(hostPort: number, sshd: Child, ssh: Child, stop: () => Promise<void>): RunningTarget {
  const failure = () => {
    const dead = [sshd, ssh].find((child) => !child.running);
    return dead && `${dead.name} ended: ${dead.tail}`;
  };
  // The listening sshd is not on the path of the bytes: the process of the session is.
  const session = processTree([sshd.pid]).filter((pid) => pid !== sshd.pid);
  return { hostPort, pids: [...session, ssh.pid], failure, stop };
}

/** sshd cannot pick a port and tell it, so another process may be faster: then it is tried again. */
async function startSshd(home: string, { prefix, address }: Machine): Promise<{ port: number; child: Child }> {
  if (Deno.uid() === 0) await Deno.mkdir("/run/sshd", { recursive: true, mode: 0o755 }); // sshd wants it of root
  for (let attempt = 1;; attempt++) {
    const port = freePort();
    const child = startChild("sshd", [
      ...prefix,
      find("sshd")!,
      ...["-D", "-e", "-f", "/dev/null", "-h", `${home}/host`, "-p", `${port}`],
      ...options({
        ListenAddress: address,
        AuthorizedKeysFile: `${home}/authorized_keys`,
        PidFile: "none",
        StrictModes: "no", // the directory for temporary files is open to all
        UsePAM: "no",
        PermitRootLogin: "prohibit-password",
        AllowTcpForwarding: "yes",
      }),
    ]);
    try {
      await child.logLine((line) => /^Server listening on /.exec(line) ?? undefined, "that it listens");
      return { port, child };
    } catch (error) {
      await child.stop();
      if (attempt === 3) throw error;
    }
  }
}

async function makeKey(path: string): Promise<void> {
  const { success, stderr } = await new Deno.Command(find("ssh-keygen")!, {
    args: ["-q", "-t", "ed25519", "-N", "", "-C", "bench", "-f", path],
  }).output();
  if (!success) throw new Error(`ssh-keygen: ${new TextDecoder().decode(stderr)}`);
}

function options(settings: Record<string, string>): string[] {
  return Object.entries(settings).flatMap(([name, value]) => ["-o", `${name}=${value}`]);
}
