/**
 * Text into lines.
 *
 * @module
 */

/** Splits a stream of text at line ends; a last line without one counts too. */
export class TextLineStream extends TransformStream<string, string> {
  /** Starts with nothing. */
  constructor() {
    let rest = "";
    super({
      transform(text, controller) {
        const lines = (rest + text).split(/\r?\n/);
        rest = lines.pop() ?? "";
        for (const line of lines) controller.enqueue(line);
      },
      flush(controller) {
        if (rest !== "") controller.enqueue(rest);
      },
    });
  }
}
