/**
 * What a v2 server keeps in files, as its options: who it is, who may come, who may enrol, and which ports they had.
 *
 * @module
 */

import { resolve } from "node:path";
import { parseAddress } from "../../protocol/address.ts";
import type { Security } from "../../protocol/enrolment.ts";
import { systemClock } from "../../base/clock.ts";
import { describeError } from "../../base/errors.ts";
import type { Logger } from "../../base/logger.ts";
import { ConfigError } from "../../app/toml/config_error.ts";
import { sweepBeside, sweepState } from "../../app/files/leftovers.ts";
import { demandFolderOf } from "../../app/files/private_folder.ts";
import { loadIdentity } from "../../app/files/state.ts";
import { AuthorizedDevices, type DevicesChange } from "../devices/authorized_devices.ts";
import { renamedIn } from "../devices/differences.ts";
import { readConsent, reserveConsent } from "../devices/consent.ts";
import type { AuthorizedDevice } from "../devices/entry.ts";
import { DeviceActs } from "./device_acts.ts";
import { Enrolments } from "./enrolments.ts";
import { devicesFile, writeFacts } from "./facts.ts";
import { OPENINGS_FILE, OpeningsFile } from "./openings_file.ts";
import { PortsFile } from "./ports_file.ts";
import { LiveState } from "./live_state.ts";
import type { V2Options } from "../options.ts";
import type { ServerHandle } from "../server.ts";

/** Files of the state that are written under its lock. */
const STATE_FILES = [
  "identity.pem",
  "devices.toml",
  "enrolments.toml",
  "ports.toml",
  "server.toml",
  "version.toml",
  OPENINGS_FILE,
];

/** Who may link up, as far as a list can tell. */
export interface DevicesView {
  /** How many there are. */
  readonly count: number;
  /** All of them, in the order of the file. */
  readonly all: readonly AuthorizedDevice[];
  /** The one of a name. */
  byName(name: string): AuthorizedDevice | undefined;
  /** Why the file is not in force as it stands, if it is not. */
  readonly trouble: string | undefined;
  /** Calls `subscriber` for every change from now on. @returns what ends that. */
  subscribe(subscriber: (change: DevicesChange) => void): () => void;
}

/** The state of a server with v2 listeners. */
export interface StateView {
  readonly folder: string;
  readonly devices: DevicesView;
  readonly enrolments: Enrolments;
  readonly acts: DeviceActs;
  /** Has what was changed in the files hold from now on. */
  applied(): Promise<void>;
}

/** Files of a server that commands are told of. */
export interface ServerFiles {
  /** That of its certificate, if it is of a CA. */
  readonly certificate?: string | undefined;
  /** That of its audit. */
  readonly audit?: string | undefined;
}

/** The state of a running server. */
export interface V2State {
  /** For `serve`. */
  readonly options: V2Options;
  /** For whoever shows it, and acts on it. */
  readonly view: StateView;
  /** Tells the commands about devices where the server listens and how it proves itself (`files`: where others of its files are), unless another did first. */
  announce(addresses: readonly string[], security: Security, files?: ServerFiles): Promise<void>;
  /** Tells them which devices are online from now on. */
  watch(server: Pick<ServerHandle, "device" | "devices" | "subscribe">): void;
  /** Reads the file of devices now, as {@linkcode AuthorizedDevices.prepare} does. */
  prepareDevices: AuthorizedDevices["prepare"];
  /** Looks at the files no more, and writes what has not been written. */
  close(): Promise<void>;
}

/**
 * Opens the state in `folder`, and makes what is missing.
 *
 * @param given The file of authorized devices, if it is another than that of the state.
 * @throws {ConfigError} if a file is damaged, or others can read what they must not.
 */
export async function openV2State(folder: string, given: string | undefined, logger: Logger): Promise<V2State> {
  if (given !== undefined) demandFolderOf(resolve(given));
  const identity = await loadIdentity(folder);
  const file = devicesFile(folder, given && resolve(given));
  const kept = await PortsFile.load(folder, systemClock, logger);
  const { ports } = kept;
  const openings = await OpeningsFile.load(folder, systemClock, logger);
  const devices = new AuthorizedDevices(file, systemClock, logger, () => readConsent(folder));
  const enrolments = new Enrolments(folder, file, { read: (source) => devices.parse(source) });
  const live = await LiveState.open(folder, systemClock, logger);
  // A running server writes live.toml without the lock.
  await sweepState(folder, live.isFirst ? [...STATE_FILES, "live.toml"] : STATE_FILES, logger);
  sweepBeside(file, folder, logger);
  await reserveConsent(folder).catch((error: unknown) => {
    logger.debug("{error}; while that lasts, the last device cannot be revoked", { error: describeError(error) });
  });
  const unsubscribe = devices.subscribe((change) => {
    const { added, removed } = change;
    // A device with a new key is removed and added: its clients go on to look for it where it was.
    const still = new Set(added.map(({ name }) => name));
    for (const { name, key } of removed) {
      live.forget(key);
      if (still.has(name)) continue;
      ports.forget(name);
      for (const { service } of openings.openings.of(name)) {
        openings.openings.close(name, service, "its device is gone");
      }
    }
    const names = renamedIn(change);
    if (names.length === 0) return;
    ports.rename(names);
    openings.rename(names);
  });
  const acts = new DeviceActs({
    folder,
    file,
    enrolments,
    read: (source) => devices.parse(source),
    warn: (line) => logger.warn("{line}", { line }),
  });
  return {
    view: { folder, devices, enrolments, acts, applied: () => devices.refresh() },
    options: {
      identity,
      devices,
      openings: openings.openings,
      ports: {
        get: (device, service) => ports.get(device, service),
        set: (device, service, port) => ports.set(device, service, port),
        isReserved: (port) => devices.isReserved(port),
        isKeptByOther: (port, device, service) => ports.isKeptByOther(port, device, service),
      },
      enrolments: {
        async secretHash(token) {
          return (await enrolments.find(token))?.secretHash;
        },
        waits: (token) => enrolments.waits(token),
        adds: async (token) => (await enrolments.find(token))?.replace !== true,
        async redeem(token, publicKey) {
          await devices.refresh();
          // What looks like a mistake must not become the new truth by being added to.
          if (devices.trouble !== undefined) throw new ConfigError(devices.trouble);
          const redemption = await enrolments.redeem(token, publicKey);
          await devices.refresh();
          if (!redemption.ok) return { refused: redemption.text };
          return devices.byKey(publicKey) ?? { refused: `${redemption.device} was enrolled, and is gone again` };
        },
      },
    },
    async announce(addresses, security, { certificate, audit } = {}) {
      if (!live.isFirst) return;
      const facts = {
        addresses: addresses.map(parseAddress),
        security,
        ...(given !== undefined && { devices: file }),
        ...(certificate !== undefined && { certificate: resolve(certificate) }),
        ...(audit !== undefined && { audit }),
      };
      try {
        await writeFacts(folder, facts);
      } catch (error) { // devices are served all the same
        logger.warn("{error}; enroll cannot tell where this server listens, unless that is what it was the last time", {
          error: describeError(error),
        });
      }
    },
    watch(server) {
      live.watch(() => server.devices(), (name) => server.device(name).status);
      server.subscribe((event) => live.happened(event));
    },
    prepareDevices: () => devices.prepare(),
    async close() {
      unsubscribe();
      devices.close();
      await openings.close();
      await kept.flush();
      await live.close();
    },
  };
}
