/**
 * Transfers in both directions whose every byte is checked: what `tests/rig/mains/transfer.ts` does, and how it went.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { within } from "../wait.ts";
import { Child } from "../processes/child.ts";

const MAIN = fileURLToPath(new URL("../mains/transfer.ts", import.meta.url));

/** What the clients do. */
export interface TransferPlan {
  /** Where they connect. */
  readonly hostname: string;
  readonly port: number;
  /** What the sizes and the bytes come from. */
  readonly seed: number;
  /** Clients at once. */
  readonly lanes: number;
  /** Transfers of each, one after the other; `null` for ever. */
  readonly rounds: number | null;
  /** Bytes of the largest, each way. A single round is as large as that; of many most are small. */
  readonly size: number;
  /** Bytes a second of each client, each way; 0: as fast as can be. */
  readonly rate: number;
  /** One in so many clients leaves in the middle; without, none does. */
  readonly leaving?: number;
}

/** A transfer that has ended. */
export interface TransferLine {
  /** Which of the clients it was. */
  readonly lane: number;
  /** Bytes that were to go from the client to the service. */
  readonly up: number;
  /** Bytes that were to go back. */
  readonly down: number;
  /** How long it took. */
  readonly ms: number;
  /** The digest of what was sent up, which is that of what came. */
  readonly upDigest?: string;
  /** The digest of what came down, which is that of what was sent. */
  readonly downDigest?: string;
  /** The client has left in the middle, as was planned. */
  readonly left?: true;
  /** What was lost. */
  readonly failed?: string;
}

/** Starts the service behind `prefix`. @returns its process, and its port on 127.0.0.1. */
export async function startTransferService(prefix: readonly string[] = []): Promise<{ child: Child; port: number }> {
  const child = Child.start("transfer service", command(prefix, "serve"));
  const [, port] = await child.line(/^port (\d+)$/);
  return { child, port: Number(port) };
}

/** Clients at work. Disposing of it kills them. */
export class Transfers implements AsyncDisposable {
  /** Their process. */
  readonly child: Child;

  readonly #lines: TransferLine[] = [];
  #read = 0;

  /** Starts clients behind `prefix`. */
  constructor(plan: TransferPlan, prefix: readonly string[] = []) {
    this.child = Child.start("transfers", command(prefix, "run", JSON.stringify(plan)));
  }

  /** Transfers that have ended. */
  get lines(): readonly TransferLine[] {
    for (const line of this.child.stdout.slice(this.#read)) {
      if (line.startsWith("{")) this.#lines.push(JSON.parse(line) as TransferLine);
    }
    this.#read = this.child.stdout.length;
    return this.#lines;
  }

  /** What was lost, in words. */
  get losses(): string[] {
    return this.lines.flatMap(({ failed }) => failed ?? []);
  }

  /** Resolves when the first client of each lane has connected. */
  async flowing(): Promise<void> {
    await this.child.line(/^flowing$/);
  }

  /** Begins no further transfer, and waits until those that run have ended. */
  async finish(ms: number): Promise<readonly TransferLine[]> {
    this.child.signal("SIGTERM");
    return await this.done(ms);
  }

  /** Waits until all transfers have ended. */
  async done(ms: number): Promise<readonly TransferLine[]> {
    const ended = this.child.exited;
    const code = await within(ended, "the end of the transfers", ms);
    if (code !== 0) throw new Error(`The transfers ended with ${code}: ${this.child.stderr.join("; ")}`);
    return this.lines;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.child[Symbol.asyncDispose]();
  }
}

function command(prefix: readonly string[], ...args: string[]): string[] {
  return [...prefix, Deno.execPath(), "run", "--quiet", "-A", MAIN, ...args];
}
