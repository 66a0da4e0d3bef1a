/**
 * Configuration files of other relays, which newcomers bring along: what to say instead of a list of unknown keys.
 *
 * @module
 */

/** A file of another program. */
interface Foreign {
  /** Whose it is. */
  readonly program: string;
  /** A line that no file of ours has. */
  readonly line: RegExp;
  /** What stands for it here, on the server and on the device. */
  readonly here: string;
}

const DEVICE = "a device needs no file: `server enroll` prints a string, and `device join` takes it";

const FOREIGN: readonly Foreign[] = [
  {
    program: "rathole",
    line: /^[ \t]*\[server(?:\.[\w".-]+)?\]/m,
    here: 'here it is listen = "0.0.0.0:7443", and devices.toml has the ports that each device may open',
  },
  { program: "rathole", line: /^[ \t]*\[client(?:\.[\w".-]+)?\]/m, here: DEVICE },
  {
    program: "frp",
    line: /^[ \t]*["']?(?:bind_?port|bind_?addr|kcp_?bind_?port|vhost_?https?_?port)["']?[ \t]*[=:]/im,
    here: 'here it is listen = "0.0.0.0:7443", and devices.toml has the ports that each device may open',
  },
  {
    program: "frp",
    line: /^[ \t]*(?:["']?(?:server_?addr|server_?port)["']?[ \t]*[=:]|\[common\]|\[\[(?:proxies|visitors)\]\])/im,
    here: DEVICE,
  },
  { program: "ngrok", line: /^[ \t]*(?:authtoken|tunnels|agent)[ \t]*:/m, here: DEVICE },
];

/**
 * Looks whether a configuration file is that of another relay.
 *
 * @returns where the line that tells it begins, and what to say; `undefined` if nothing tells it.
 */
export function foreignConfig(source: string): { readonly offset: number; readonly message: string } | undefined {
  for (const { program, line, here } of FOREIGN) {
    const found = line.exec(source);
    if (!found) continue;
    const offset = found.index + found[0].search(/\S/);
    const example = "examples/server.toml and examples/device.toml have every word";
    return { offset, message: `this looks like a file of ${program}; ${here}; ${example}` };
  }
  return undefined;
}
