/**
 * A socket of the kernel that takes datagrams, as a service manager has one.
 *
 * @module
 */

import { socketAddress } from "../../app/systemd/notify_socket.ts";
import { AF_UNIX, CLOEXEC, libc, MSG_DONTWAIT, SOCK_DGRAM } from "../../net/kernel/libc.ts";

/** Takes datagrams at an address: a path, or `@` and a name. */
export class Datagrams implements Disposable {
  readonly #address: string;
  #fd = -1;

  /** Opens it. */
  constructor(address: string) {
    this.#address = address;
    this.open();
  }

  /** Opens it anew after {@linkcode Datagrams.close}. */
  open(): void {
    const [calls, address] = [libc()!, socketAddress(this.#address)];
    this.#fd = calls.socket(AF_UNIX, SOCK_DGRAM | CLOEXEC, 0);
    if (calls.bind(this.#fd, address, address.length) !== 0) throw new Error(`${this.#address} cannot be bound`);
  }

  /** All that came since the last time, in its order. */
  all(): string[] {
    const found: string[] = [];
    const bytes = new Uint8Array(4_096);
    for (;;) {
      const count = Number(libc()!.recv(this.#fd, bytes, BigInt(bytes.length), MSG_DONTWAIT));
      if (count < 0) return found;
      found.push(new TextDecoder().decode(bytes.subarray(0, count)));
    }
  }

  /** Whoever sends finds nobody there. */
  close(): void {
    if (this.#fd < 0) return;
    libc()!.close(this.#fd);
    this.#fd = -1;
    if (this.#address.startsWith("/")) Deno.removeSync(this.#address);
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
