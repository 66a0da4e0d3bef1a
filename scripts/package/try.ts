/**
 * `deno task package -- --try`: what is handed out, as a new user has it, in a Debian system of its own that knows no
 * network but its loopback.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import type { Packaged } from "./all.ts";

/** What is tried. */
export interface TryOptions {
  readonly packaged: readonly Packaged[];
  /** The same as a later version. */
  readonly next: readonly Packaged[];
  /** A Debian system to try it in, a folder or a tar archive, which stays as it is; made anew without one. */
  readonly root: string | undefined;
}

/** What the system has beside Debian's smallest: what the package depends on and recommends. */
const INCLUDED = "adduser,libssl3,ca-certificates,systemd,systemd-sysv,dbus";

/** Milliseconds that such a system may take from its start to its end. */
const BOOT_MS = 180_000;

const HERE = { x86_64: "amd64", aarch64: "arm64" }[Deno.build.arch];

/** Runs all steps. @throws {Error} that says which one failed. */
export async function tryPackage({ packaged, next, root }: TryOptions, tell: (line: string) => void): Promise<void> {
  if (Deno.build.os !== "linux" || Deno.uid() !== 0) {
    throw new Error("--try takes Linux, and root: it makes a system of its own");
  }
  const folder = await Deno.makeTempDir({ prefix: "sallyport-package-" });
  try {
    await makeRoot(folder, root, tell);
    const shared = `${folder}/packages`;
    await Deno.mkdir(`${shared}/next`, { recursive: true });
    for (const [files, place] of [[packaged, shared], [next, `${shared}/next`]] as const) {
      for (const { name, bytes, mode } of files) await Deno.writeFile(`${place}/${name}`, bytes, { mode });
    }
    const sums = packaged.map(({ name }) => name);
    await run("sh", ["-c", 'cd "$0" && sha256sum "$@" > SHA256SUMS', shared, ...sums]);
    for (const name of ["in_root.sh", "under_systemd.sh"]) {
      await Deno.copyFile(fileURLToPath(new URL(name, import.meta.url)), `${folder}/${name}`);
    }
    // Mounts, processes and the network are its own, and go with it.
    const enter = `mount --make-rprivate / && mount -t proc proc "$0/proc" && mount --rbind /dev "$0/dev" &&
      ip link set lo up && exec chroot "$0" /bin/sh /in_root.sh "$1"`;
    await run("unshare", ["--mount", "--pid", "--fork", "--net", "--ipc", "--uts", "sh", "-c", enter, folder, HERE]);
    if (await has("systemd-nspawn")) {
      tell("  units, under a systemd of their own");
      await boot(folder);
    } else {
      tell("not tried: the units, which takes systemd-nspawn (apt-get install systemd-container)");
    }
    tell("tried: all of it works");
  } finally {
    await run("rm", ["-rf", "--one-file-system", folder]);
  }
}

async function makeRoot(folder: string, root: string | undefined, tell: (line: string) => void): Promise<void> {
  if (root !== undefined) {
    const { isDirectory } = await Deno.stat(root);
    if (isDirectory) await run("cp", ["-a", "--one-file-system", `${root}/.`, folder]);
    else await run("tar", ["-xf", root, "-C", folder, "--numeric-owner", "--exclude=./dev/*"]);
    return;
  }
  const suite = /^VERSION_CODENAME=(\w+)/m.exec(await Deno.readTextFile("/etc/os-release"))?.[1] ?? "stable";
  tell(`making a Debian system (${suite})`);
  if (await has("mmdebstrap")) {
    await run("mmdebstrap", ["--quiet", "--variant=minbase", `--include=${INCLUDED}`, suite, folder]);
  } else if (await has("debootstrap")) {
    await run("debootstrap", ["--variant=minbase", `--include=${INCLUDED}`, suite, folder]);
  } else {
    throw new Error("--try takes mmdebstrap or debootstrap (apt-get install mmdebstrap), or a Debian system: --root");
  }
}

/** Starts the system with its systemd, which runs a script and ends. */
async function boot(folder: string): Promise<void> {
  const unit = `[Unit]
After=multi-user.target
[Service]
Type=oneshot
ExecStart=/bin/sh /under_systemd.sh ${HERE}
ExecStopPost=/bin/systemctl poweroff --no-block
StandardOutput=file:/output
StandardError=file:/output
[Install]
WantedBy=multi-user.target
`;
  const wanted = `${folder}/etc/systemd/system/multi-user.target.wants`;
  await Deno.mkdir(wanted, { recursive: true });
  await Deno.writeTextFile(`${wanted}/sallyport-try.service`, unit);
  const args = ["--quiet", "--boot", "--register=no", "--keep-unit", "--private-network", `--directory=${folder}`];
  const child = new Deno.Command("systemd-nspawn", { args, stdin: "null", stdout: "null", stderr: "null" }).spawn();
  const timer = setTimeout(() => child.kill("SIGKILL"), BOOT_MS);
  await child.status;
  clearTimeout(timer);
  const [result, output] = await Promise.all(
    ["result", "output"].map((name) => Deno.readTextFile(`${folder}/${name}`).catch(() => "")),
  );
  if (result!.trim() !== "works") throw new Error(`${output}\n${result!.trim() || "systemd did not come to it"}`);
}

async function has(program: string): Promise<boolean> {
  const { success } = await new Deno.Command("sh", { args: ["-c", 'command -v "$0" >/dev/null', program] }).output();
  return success;
}

/** Runs a program to its end; what it prints is for whoever tries. */
async function run(program: string, args: readonly string[]): Promise<void> {
  const child = new Deno.Command(program, { args: [...args], stdin: "null", stdout: "inherit", stderr: "inherit" })
    .spawn();
  const { success, code } = await child.status;
  if (!success) throw new Error(`${program} ended with ${code}`);
}
