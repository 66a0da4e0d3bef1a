/**
 * Which ports of a host are in use, as far as this process knows: so that a free one of a range is found without trying
 * all that are not.
 *
 * @module
 */

import { BUSY_PORT_MS } from "../limits.ts";

/** A bit for each port. */
const WORDS = 65_536 / 32;
const FULL = 0xffff_ffff;

interface HostPorts {
  /** Those that this process listens on. */
  readonly own: Uint32Array;
  /** Those that somebody else had when they were tried. */
  readonly busy: Uint32Array;
  /** When the first of those was found since they were forgotten. */
  busySince: number;
}

/** Ports by host, as it is written: what two ways of writing have in common is found out when a port is tried. */
export class PortsInUse {
  readonly #hosts = new Map<string, HostPorts>();

  /** This process listens on a port. */
  add(host: string, port: number): void {
    mark(this.#host(host).own, port);
  }

  /** It does so no more. */
  delete(host: string, port: number): void {
    const { own } = this.#host(host);
    own[port >>> 5]! &= ~(1 << (port & 31));
  }

  /** A port was tried at the time `now`, in milliseconds, and somebody else has it; that is remembered for a while. */
  found(host: string, port: number, now: number): void {
    const ports = this.#host(host);
    if (now - ports.busySince >= BUSY_PORT_MS) {
      ports.busy.fill(0);
      ports.busySince = now;
    }
    mark(ports.busy, port);
  }

  /** The ports from `from` to `to` that may be free, from the lowest up; 32 that are not are passed over at once. */
  *free(host: string, from: number, to: number, now: number): Generator<number, void, void> {
    const { own, busy, busySince } = this.#host(host);
    const counts = now - busySince < BUSY_PORT_MS;
    for (let port = from; port <= to;) {
      const word = (own[port >>> 5]! | (counts ? busy[port >>> 5]! : 0)) >>> 0;
      if (word === FULL) port = (port | 31) + 1;
      else {
        if ((word >>> (port & 31) & 1) === 0) yield port;
        port++;
      }
    }
  }

  #host(host: string): HostPorts {
    let ports = this.#hosts.get(host);
    if (!ports) {
      ports = { own: new Uint32Array(WORDS), busy: new Uint32Array(WORDS), busySince: -Infinity };
      this.#hosts.set(host, ports);
    }
    return ports;
  }
}

function mark(bits: Uint32Array, port: number): void {
  bits[port >>> 5]! |= 1 << (port & 31);
}
