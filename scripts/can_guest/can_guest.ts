/**
 * `deno run -A scripts/can_guest/can_guest.ts --kernel DIR`: tries SocketCAN on a real vcan0, in a guest kernel of its own,
 * where this machine's has no CAN. `scripts/can_guest/in_guest.ts` is what runs there, on this machine's files, which it can
 * only read.
 *
 * DIR is an unpacked kernel package of Debian: `apt-get download linux-image-6.1.0-…-amd64; dpkg -x linux-image-*.deb DIR`.
 * Takes qemu-system-x86_64, a static busybox, and ip; no root, no KVM, a quarter of a minute.
 *
 * @module
 */

import { parseArgs } from "node:util";
import { fileURLToPath } from "node:url";
import { find } from "../../tests/rig/processes/programs.ts";
import { say } from "../../tests/rig/say.ts";

/** What the guest needs; they need each other, so they are loaded in as many passes as it takes. */
const MODULES = [
  ...["virtio", "virtio_ring", "virtio_pci_modern_dev", "virtio_pci_legacy_dev", "virtio_pci"],
  ...["netfs", "fscache", "9pnet", "9pnet_virtio", "9p", "can-dev", "can", "can-raw", "vcan"],
];

const DEADLINE_MS = 240_000;
const VERDICT = /^GUEST-EXIT (\d+)/m;

const { values } = parseArgs({
  args: Deno.args.filter((arg) => arg !== "--"),
  options: { kernel: { type: "string" } },
});
const qemu = find("qemu-system-x86_64");
const busybox = find("busybox");
const ip = find("ip");
if (values.kernel === undefined || !qemu || !busybox || !ip) {
  say("usage: can_guest.ts --kernel DIR; needs qemu-system-x86_64, busybox (static), and ip");
  Deno.exit(2);
}
Deno.exit(await run(values.kernel, qemu, busybox, ip));

/** @returns the exit code of what ran in the guest. */
async function run(kernel: string, qemu: string, busybox: string, ip: string): Promise<number> {
  const folder = await Deno.makeTempDir({ prefix: "sallyport-can-guest-" });
  try {
    const files = [...walk(kernel)];
    const image = files.find((file) => /\/vmlinuz-[^/]+$/.test(file));
    if (image === undefined) throw new Error(`there is no kernel in ${kernel}`);
    const root = `${folder}/root`;
    for (const name of ["bin", "host", "modules"]) await Deno.mkdir(`${root}/${name}`, { recursive: true });
    await Deno.copyFile(busybox, `${root}/bin/busybox`);
    for (const name of MODULES) {
      const file = files.find((file) => file.endsWith(`/${name}.ko`));
      if (file !== undefined) await Deno.copyFile(file, `${root}/modules/${name}.ko`); // else it is built in
    }
    await Deno.writeTextFile(`${root}/init`, initOf(ip), { mode: 0o755 });
    const packed = await new Deno.Command("sh", {
      args: [
        "-c",
        `cd "$1" && find . | "$2" cpio -o -H newc 2>/dev/null | gzip -1 > "$3"`,
        "sh",
        root,
        busybox,
        `${folder}/initrd`,
      ],
    }).output();
    if (!packed.success) throw new Error("the guest's files cannot be packed");
    return await boot(qemu, image, `${folder}/initrd`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** What the guest does: this machine's files, a bus, the program, the end. */
function initOf(ip: string): string {
  const program = fileURLToPath(new URL("./in_guest.ts", import.meta.url));
  const mounts = [
    "mount -t proc proc /host/proc",
    "mount -t sysfs sys /host/sys",
    "mount -t devtmpfs dev /host/dev",
    "mount -t tmpfs tmp /host/tmp",
  ];
  return `#!/bin/busybox sh
export PATH=/bin
/bin/busybox --install -s /bin
for pass in 1 2 3; do for m in /modules/*.ko; do insmod $m 2>/dev/null; done; done
mount -t 9p -o trans=virtio,version=9p2000.L,ro,cache=loose host /host
${mounts.join("\n")}
chroot /host ${ip} link set lo up
chroot /host ${ip} link add vcan0 mtu 72 type vcan
chroot /host ${ip} link set vcan0 up
export DENO_DIR=/tmp/deno HOME=/tmp NO_COLOR=1 PATH=/usr/sbin:/usr/bin:/sbin:/bin
/bin/busybox chroot /host ${Deno.execPath()} run -A --no-config --no-lock --no-check ${program}
echo "GUEST-EXIT $?"
/bin/busybox poweroff -f
`;
}

async function boot(qemu: string, kernel: string, initrd: string): Promise<number> {
  const child = new Deno.Command(qemu, {
    args: [
      ...["-accel", "tcg", "-cpu", "Nehalem", "-smp", "1", "-m", "1024", "-nographic", "-no-reboot", "-nodefaults"],
      ...["-serial", "stdio", "-kernel", kernel, "-initrd", initrd, "-append", "console=ttyS0 quiet panic=-1"],
      ...["-virtfs", "local,path=/,mount_tag=host,security_model=none,readonly=on,multidevs=remap"],
    ],
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const timer = setTimeout(() => child.kill("SIGKILL"), DEADLINE_MS);
  let text = "";
  for await (const piece of child.stdout.pipeThrough(new TextDecoderStream())) {
    text += piece;
    Deno.stdout.writeSync(new TextEncoder().encode(piece));
  }
  clearTimeout(timer);
  await child.status;
  return Number(VERDICT.exec(text)?.[1] ?? 1);
}

function* walk(folder: string): Generator<string> {
  for (const { name, isDirectory } of Deno.readDirSync(folder)) {
    if (isDirectory) yield* walk(`${folder}/${name}`);
    else yield `${folder}/${name}`;
  }
}
