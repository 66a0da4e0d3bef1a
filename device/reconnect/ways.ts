/**
 * What changes a device while it runs: where it dials, what its server may name, what it keeps to offer; and what that is
 * asked.
 *
 * @module
 */

import type { GrantCode } from "../../protocol/v2/wire/messages.ts";
import type { DeviceWay } from "../options.ts";
import type { ServiceRule } from "../services.ts";
import type { NamedService } from "../v2/named_service.ts";
import type { LinkLife, LinkMaker, PreparedWay } from "./link_maker.ts";
import type { Wishes } from "./wishes.ts";

/** What makes the links. */
type Maker = Pick<LinkMaker, "prepareWay" | "setAllow" | "askGrants" | "putService">;

/** Changes that, and asks. */
export class Ways {
  readonly #maker: Maker;
  readonly #wishes: Pick<Wishes, "moveSoon">;
  readonly #link: () => LinkLife | undefined;

  /** `link`: what is up, if anything is. */
  constructor(maker: Maker, wishes: Wishes, link: () => LinkLife | undefined) {
    this.#maker = maker;
    this.#wishes = wishes;
    this.#link = link;
  }

  /** Whether it can be gone at once: no link is up, or one that can be left for another under the same session. */
  canMove({ goesOn }: PreparedWay): boolean {
    const link = this.#link();
    return link === undefined || link.resumable && goesOn;
  }

  /**
   * Prepares another way to the server, for the next dial.
   *
   * @throws {UnprovableError} or {RangeError} for one that cannot be.
   */
  prepare(way: DeviceWay): PreparedWay {
    return this.#maker.prepareWay(way);
  }

  /** Dials now. The link that is up goes on until another has its place, if its session can; else it is left alone. */
  redial(): void {
    this.#wishes.moveSoon();
  }

  /** Asks the server which services it would open, in mode `config`. Resolves with an answer for each, if the link lasts. */
  askGrants(): Promise<readonly GrantCode[]> {
    return this.#maker.askGrants();
  }

  /** On v2, the server may name these addresses from now on, and clients of others are ended, as `not-allowed`. */
  setAllow(rules: readonly ServiceRule[]): void {
    if (this.#maker.setAllow(rules)) this.redial(); // the server hears with a link whether it may name any
  }

  /** Offers a service as at the start: one that can never be served here is kept, and said not to be offered. */
  keepService(service: NamedService): void {
    this.#maker.putService(service);
  }
}
