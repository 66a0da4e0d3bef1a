/**
 * frp with what it presets: TLS, all streams on one connection.
 *
 * @module
 */

import { foreignTarget, programPath, writeFile } from "./foreign.ts";
import type { Target } from "./target.ts";

const LOG = `log.to = "console"
log.level = "warn"
auth.token = "bench"
`;

/** From version 0.52 on, which reads TOML. */
export const frp: Target = foreignTarget({
  name: "frp",
  programs: ["frps", "frpc"],
  server(instance, { address, control }) {
    const file = writeFile(
      instance,
      "frps.toml",
      `${LOG}bindAddr = "${address}"
bindPort = ${control}
proxyBindAddr = "127.0.0.1"
`,
    );
    return instance.spawn("server", { name: "frps", program: programPath("frps"), args: ["-c", file] });
  },
  device(instance, { address, control, host, service }) {
    const file = writeFile(
      instance,
      "frpc.toml",
      `${LOG}serverAddr = "${address}"
serverPort = ${control}
[[proxies]]
name = "bench"
type = "tcp"
localIP = "127.0.0.1"
localPort = ${service}
remotePort = ${host}
`,
    );
    return instance.spawn("device", { name: "frpc", program: programPath("frpc"), args: ["-c", file] });
  },
});
