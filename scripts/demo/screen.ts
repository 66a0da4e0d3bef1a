/**
 * What the demo prints, line by line. Colours only on a terminal, and not with NO_COLOR.
 *
 * @module
 */

import { styleText } from "node:util";

type Style = Parameters<typeof styleText>[0];

/** Writes to stdout. */
export class Screen {
  readonly #colours = Deno.stdout.isTerminal() && !Deno.noColor;
  readonly #encoder = new TextEncoder();
  #steps = 0;
  #muted = false;

  /** Where the demo stands, for messages. */
  current = "getting ready";

  /** Shows nothing more: the demo was ended, and a step may still be under way. */
  mute(): void {
    this.#muted = true;
  }

  /** One plain line. */
  line(text = ""): void {
    if (this.#muted) return;
    const bytes = this.#encoder.encode(text + "\n");
    try {
      for (let at = 0; at < bytes.length;) at += Deno.stdout.writeSync(bytes.subarray(at));
    } catch {
      // Nobody reads any more: the demo still ends in order.
    }
  }

  /** The first line. */
  title(name: string, text: string): void {
    this.line(`${this.#style("bold", name)}  ${text}`);
  }

  /** A picture, with its addresses standing out. */
  picture(lines: readonly string[]): void {
    this.line();
    for (const line of lines) this.line("  " + line.replace(/[\d.]*:\d+/g, (text) => this.#style("cyan", text)));
  }

  /** A step begins. */
  step(text: string): void {
    this.current = `step ${++this.#steps}`;
    this.line();
    this.line(this.#style("bold", `${this.#steps}  ${text}`));
  }

  /** A frame that goes by. */
  frame(route: string, command: string, what: string, hex: string): void {
    const colour = route.startsWith("device") ? "magenta" : "blue";
    const left = `${this.#style(colour, route)}  ${this.#style("bold", command.padEnd(7))} ${what.padEnd(44)}`;
    this.line(`     ${left} ${this.#style("dim", hex)}`);
  }

  /** A command that a user would type. */
  command(text: string): void {
    this.line(`   ${this.#style("yellow", "$")} ${text}`);
  }

  /** What somebody said or saw. */
  note(text: string): void {
    this.line(`     ${text}`);
  }

  /** What matters less. */
  dim(text: string): void {
    this.line(this.#style("dim", `     ${text}`));
  }

  /** Something bad happened, and on purpose. */
  fault(text: string): void {
    this.line(`   ${this.#style("red", "✂")} ${text}`);
  }

  /** A step did what it should. */
  ok(text: string): void {
    this.line(`   ${this.#style("green", "✓")} ${text}`);
  }

  /** A heading without a number. */
  heading(text: string): void {
    this.line();
    this.line(this.#style("bold", text));
  }

  /** A figure with its name. */
  figure(name: string, value: string, remark: string): void {
    this.line(`   ${name.padEnd(29)}${this.#style("bold", value.padEnd(16))}${this.#style("dim", remark)}`);
  }

  #style(style: Style, text: string): string {
    return this.#colours ? styleText(style, text, { validateStream: false }) : text;
  }
}
