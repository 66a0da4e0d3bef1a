/**
 * Listeners that are others when a server reads its configuration anew: links that are there stay.
 *
 * @module
 */

import { afterChanges, type Change, commitAll } from "../../../app/reload/change.ts";
import { isSame, type ReloadReport } from "../../../app/reload/report.ts";
import { ConfigError } from "../../../app/toml/config_error.ts";
import { ListenError } from "../../../net/listener.ts";
import { CertificateError } from "../../../net/tls/certificate_files.ts";
import { formatAddress } from "../../../protocol/address.ts";
import { type KeepAliveSettings, V1_KEEP_ALIVE } from "../../../protocol/keep_alive.ts";
import type { ListenOptions, V1ListenOptions, V2ListenOptions } from "../../options.ts";
import type { ServerControl } from "../../server.ts";
import type { V1Listener } from "../../v1/listener.ts";
import type { V2Listener } from "../../v2/listener.ts";
import type { ServerConfig, V2ListenConfig } from "../config.ts";

/** One that was told. */
export type Listen = ServerConfig["listen"][number];

/** What has an effect here. */
export interface ListenersOptions {
  readonly core: ServerControl;
  /** Adds what is in the state. */
  withIdentity(listen: Listen): ListenOptions;
  /** Other addresses are listened at: whoever enrolls has to know. */
  listenersChanged(listen: ServerConfig["listen"]): Promise<void>;
}

/** Changes them, and knows what was told of those that are there. */
export class ListenersReload {
  readonly #options: ListenersOptions;
  /** In the order of the server's listeners. */
  #told: readonly Listen[];

  /** `told` is what the server runs with. */
  constructor(told: readonly Listen[], options: ListenersOptions) {
    this.#told = told;
    this.#options = options;
  }

  /** What is listened at. */
  get told(): readonly Listen[] {
    return this.#told;
  }

  /**
   * Prepares all that is different. Addresses that are new are listened at from here on, and no more if that is undone.
   *
   * @throws {ConfigError} for an address that cannot be had, or a certificate that cannot be used.
   */
  async prepare(after: readonly Listen[], report: ReloadReport): Promise<Change> {
    const changes: Change[] = [];
    const undo = async () => {
      for (const change of changes.toReversed()) await change.undo?.();
    };
    try {
      for (const each of after) {
        if (!this.#told.some((old) => keyOf(old) === keyOf(each))) await this.#add(each, changes, report);
      }
      for (const old of this.#told) {
        const now = after.find((each) => keyOf(each) === keyOf(old));
        if (!now) this.#remove(old, changes, report);
        else if (!isSame(old, now)) await this.#change(old, now, changes);
      }
    } catch (error) {
      await undo();
      const isOurs = error instanceof ListenError || error instanceof CertificateError;
      throw isOurs ? new ConfigError(error.message, { cause: error }) : error;
    }
    const told = changes.flatMap(({ told }) => told);
    return {
      told,
      commit: async () => {
        await commitAll(changes);
        if (changes.length === 0) return;
        await afterChanges(told, () => this.#options.listenersChanged(this.#told));
      },
      undo,
    };
  }

  async #add(listen: Listen, changes: Change[], report: ReloadReport): Promise<void> {
    const { core, withIdentity } = this.#options;
    const at = formatAddress(listen.address);
    if (listen.profile === "v2" && core.registry === undefined) {
      return report.wait([`${at}, as the first listener of v2,`]);
    }
    await core.places.add(withIdentity(listen));
    const added = core.listeners.at(-1)!;
    changes.push({
      told: [`listens at ${at}, too`],
      commit: () => void (this.#told = [...this.#told, listen]),
      undo: () => core.places.remove(added),
    });
  }

  #remove(old: Listen, changes: Change[], report: ReloadReport): void {
    const { core } = this.#options;
    const at = formatAddress(old.address);
    if (old.profile === "v1") return report.wait([`the listener at ${at}, which is gone,`]);
    const listener = this.#listener(old);
    changes.push({
      told: [`listens at ${at} no more; links that came there stay`],
      commit: () => {
        core.places.remove(listener);
        this.#told = this.#told.filter((each) => each !== old);
      },
    });
  }

  async #change(old: Listen, now: Listen, changes: Change[]): Promise<void> {
    const put = () => void (this.#told = this.#told.map((each) => each === old ? now : each));
    if (old.profile === "v1" && now.profile === "v1") return void changes.push(this.#changeV1(old, now, put));
    const { core, withIdentity } = this.#options;
    const prepared = await core.places.prepareOther(
      this.#listener(old) as V2Listener,
      withIdentity(now) as V2ListenOptions,
    );
    changes.push({
      told: namesOf(old as V2ListenConfig, now as V2ListenConfig).map((what) =>
        `${what} at ${formatAddress(now.address)}`
      ),
      commit: async () => {
        const { length } = core.listeners;
        try {
          await prepared.begin();
        } catch (error) {
          // It is not even what it was: the next reload listens there anew.
          if (core.listeners.length < length) this.#told = this.#told.filter((each) => each !== old);
          throw error;
        }
        put();
      },
      undo: () => prepared.close(),
    });
  }

  #changeV1(old: V1ListenOptions, now: V1ListenOptions, put: () => void): Change {
    const listener = this.#listener(old) as V1Listener;
    const at = formatAddress(now.address);
    const told = [
      ...(isSame(old.forwards, now.forwards) ? [] : [`forwards of ${at}`]),
      ...(isSame(old.proxyFrom, now.proxyFrom) ? [] : [`proxy-from at ${at}`]),
    ];
    return {
      told, // that of keep-alive stands with the option
      commit() {
        if (!isSame(old.forwards, now.forwards)) listener.setForwards(now.forwards);
        listener.setProxyFrom(now.proxyFrom ?? []);
        const { keepAlive = V1_KEEP_ALIVE }: { readonly keepAlive?: KeepAliveSettings } = now;
        listener.followKeepAlive(keepAlive);
        put();
      },
    };
  }

  #listener(told: Listen): V1Listener | V2Listener {
    return this.#options.core.listeners[this.#told.indexOf(told)]!;
  }
}

/** Which part of a listener is another. */
function namesOf(old: V2ListenConfig, now: V2ListenConfig): string[] {
  const isProof = !isSame(old.security, now.security);
  const isProxy = !isSame(old.proxyFrom, now.proxyFrom);
  const names = isProof ? [now.security.kind === "plain" ? "plain" : "TLS"] : [];
  return isProxy ? [...names, "proxy-from"] : names;
}

function keyOf({ address, profile }: Listen): string {
  return `${profile} ${formatAddress(address)}`;
}
