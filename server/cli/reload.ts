/**
 * A server reads its configuration anew while it runs: what can change does, and nobody is cut for it.
 *
 * @module
 */

import type { HookRunner } from "../../app/hooks/hooks.ts";
import { setLogLevel } from "../../app/logging.ts";
import type { OptionValues } from "../../app/options.ts";
import { differing, inForce, isSame, type Reloaded, ReloadReport } from "../../app/reload/report.ts";
import { ConfigError } from "../../app/toml/config_error.ts";
import { ListenError } from "../../net/listener.ts";
import { CertificateError } from "../../net/tls/certificate_files.ts";
import { formatAddress } from "../../protocol/address.ts";
import type { KeepAliveSettings } from "../../protocol/keep_alive.ts";
import type { SERVER_OPTIONS, ServerConfig } from "./config.ts";
import { adjustable, type ListenOptions } from "../options.ts";
import type { ServerControl } from "../server.ts";
import type { V2Listener } from "../v2/listener.ts";

/** What a server was told. */
export interface ServerTold {
  readonly values: OptionValues<typeof SERVER_OPTIONS>;
  readonly config: ServerConfig;
}

/** What has an effect here. */
export interface ServerReloadOptions {
  readonly told: ServerTold;
  /** Reads all of it anew. @throws {ConfigError} if it cannot be in force. */
  read(): ServerTold | Promise<ServerTold>;
  readonly core: ServerControl;
  readonly hooks: Pick<HookRunner, "replace">;
  /** Reads the file of devices anew. @returns why it is not in force, if it is not. */
  rereadDevices(): Promise<string | undefined>;
  /** Adds what is in the state. */
  withIdentity(listen: Listen): ListenOptions;
  /** Other addresses are listened at: whoever enrolls has to know. */
  listenersChanged(listen: ServerConfig["listen"]): Promise<void>;
}

type Listen = ServerConfig["listen"][number];

/** Options that hold for links and clients to come, by the setting that they are. */
const ADJUSTED = {
  "keep-alive": "keepAlive",
  "idle-timeout": "keepAlive",
  "probe-interval": "keepAlive",
  "probe-count": "keepAlive",
  "expiration": "expiration",
  "tcp-keep-alive": "tcpKeepAlive",
  "stall-timeout": "stallTimeout",
  "half-close-timeout": "halfCloseTimeout",
  "link-write-timeout": "linkWriteTimeout",
  "max-devices": "limits",
  "max-links": "limits",
  "max-sockets": "limits",
  "max-memory": "limits",
  "handshake-rate": "limits",
} as const satisfies Partial<Record<keyof typeof SERVER_OPTIONS, keyof ReturnType<typeof adjustable>>>;

/** What stands for listeners, which are compared by themselves. */
const OF_LISTENERS: ReadonlySet<string> = new Set([
  ...["listen", "profile", "forward", "tls-cert", "tls-key", "proxy-from", "plain"],
]);

/** Reloads a server. */
export class ServerReload {
  readonly #options: ServerReloadOptions;
  #told: ServerTold;

  /** `told` is what it runs with. */
  constructor(options: ServerReloadOptions) {
    this.#options = options;
    this.#told = options.told;
  }

  /**
   * Does it. One call at a time.
   *
   * @throws {ConfigError} for a mistake, or a listener that cannot be: nothing has changed then.
   */
  async reload(): Promise<Reloaded> {
    const { core, hooks, rereadDevices } = this.#options;
    const before = this.#told;
    const after = await this.#options.read();
    const trouble = await rereadDevices();
    if (trouble !== undefined) throw new ConfigError(trouble);
    const report = new ReloadReport();
    const listen = await this.#changeListeners(before.config.listen, after.config.listen, report);
    const names = differing(before.values, after.values).filter((name) => !OF_LISTENERS.has(name));
    core.adjust(adjustable(after.config));
    const adjusted = names.filter((name): name is keyof typeof ADJUSTED => name in ADJUSTED);
    if (adjusted.some((name) => ADJUSTED[name] === "keepAlive")) await core.spreadKeepAlive();
    this.#setV1KeepAlive(after.config.listen);
    for (const name of adjusted) {
      const isAtOnce = ADJUSTED[name] === "keepAlive" || ADJUSTED[name] === "limits";
      report.changed.push(isAtOnce ? name : `${name}, for links and clients to come`);
    }
    if (names.includes("log-level")) {
      const level = after.values["log-level"] ?? "info";
      setLogLevel(level);
      report.changed.push(`log-level ${level}`);
    }
    if (!isSame(before.config.hooks, after.config.hooks)) {
      hooks.replace(after.config.hooks);
      report.changed.push("hooks");
    }
    const waiting = names.filter((name) => !(name in ADJUSTED) && name !== "log-level");
    report.wait(waiting);
    this.#told = { values: inForce(before.values, after.values, waiting), config: { ...after.config, listen } };
    return report;
  }

  /** On v1 the settings are those of each listener. */
  #setV1KeepAlive(listen: readonly Listen[]): void {
    for (const listener of this.#options.core.listeners) {
      if (listener.profile !== "v1") continue;
      const told = listen.find((each) => each.profile === "v1" && formatAddress(each.address) === listener.address);
      const { keepAlive } = (told ?? {}) as { readonly keepAlive?: KeepAliveSettings };
      if (keepAlive) listener.setKeepAlive(keepAlive);
    }
  }

  /** New addresses first: if one cannot be had, nothing has changed. @returns what is listened at now. */
  async #changeListeners(before: readonly Listen[], after: readonly Listen[], report: ReloadReport): Promise<Listen[]> {
    const { core, withIdentity } = this.#options;
    const listen = [...before];
    const added = after.filter((each) => !before.some((old) => keyOf(old) === keyOf(each)));
    const opened = core.listeners.length;
    try {
      for (const each of added) {
        if (each.profile === "v2" && core.registry === undefined) {
          report.wait([`${formatAddress(each.address)}, as the first listener of v2,`]);
          continue;
        }
        await core.listen(withIdentity(each));
        listen.push(each);
        report.changed.push(`listens at ${formatAddress(each.address)}, too`);
      }
    } catch (error) {
      for (const listener of core.listeners.slice(opened)) {
        if (listener.profile === "v2") core.unlisten(listener);
        else listener.close();
      }
      const isOurs = error instanceof ListenError || error instanceof CertificateError;
      throw isOurs ? new ConfigError(error.message, { cause: error }) : error;
    }
    for (const old of before) {
      const now = after.find((each) => keyOf(each) === keyOf(old));
      const at = formatAddress(old.address);
      if (now) {
        if (!isSame(without(old), without(now))) report.wait([`the listener at ${at}`]);
      } else if (old.profile === "v1" || old.proxyFrom !== undefined) {
        report.wait([`the listener at ${at}, which is gone,`]);
      } else {
        const place = listen.indexOf(old);
        core.unlisten(core.listeners[place] as V2Listener);
        listen.splice(place, 1);
        report.changed.push(`listens at ${at} no more; links that came there stay`);
      }
    }
    if (added.length > 0 || listen.length !== before.length) await this.#options.listenersChanged(listen);
    return listen;
  }
}

function keyOf({ address, profile }: Listen): string {
  return `${profile} ${formatAddress(address)}`;
}

/** What its keep-alive is, stands elsewhere. */
function without(listen: Listen): Omit<Listen, "keepAlive"> {
  const { keepAlive: _elsewhere, ...rest } = listen as Listen & { readonly keepAlive?: unknown };
  return rest as Omit<Listen, "keepAlive">;
}
