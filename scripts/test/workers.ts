/**
 * Several things to do, a few at a time, and what they print, put together again.
 *
 * @module
 */

/** How many may be done at once, by what was asked for; `usual` if nothing was. @throws {RangeError} for no such number. */
export function workersOf(asked: string | undefined, usual: number): number {
  if (asked === undefined || asked === "") return usual;
  if (!/^[1-9]\d{0,3}$/.test(asked)) throw new RangeError(`not a number of parts at once, from 1: ${asked}`);
  return Number(asked);
}

/** Does all of `jobs`, at most `count` of them at once, and begins them in their order. @returns what each came to. */
export async function byWorkers<Job, Outcome>(
  count: number,
  jobs: readonly Job[],
  work: (job: Job) => Promise<Outcome>,
): Promise<Outcome[]> {
  if (!(count >= 1)) throw new RangeError(`nobody is there to work: ${count}`);
  const outcomes: Outcome[] = [];
  let next = 0;
  const worker = async () => {
    while (next < jobs.length) {
      const at = next++;
      outcomes[at] = await work(jobs[at]!);
    }
  };
  await Promise.all(Array.from({ length: count }, worker));
  return outcomes;
}

/** What begins a file's tests in the output of `deno test`, perhaps behind a colour. */
const HEADING = /^\S*running \d+ tests? from /;

/** How long what has ended may leave its output open: whoever else holds it is a process that it has left behind. */
const REST_MS = 1_000;

/**
 * Passes the output of a process on: each file's tests in one piece, however many processes print at once. When the process
 * has ended, what is there is read for `REST_MS`, and not for as long as others hold its output open.
 *
 * @returns whether the output came to its end.
 */
export async function passOn(
  output: ReadableStream<Uint8Array>,
  say: (text: string) => void,
  ended: Promise<unknown> = Promise.withResolvers<void>().promise,
): Promise<boolean> {
  let piece: string[] = [];
  const flush = () => {
    if (piece.length > 0) say(piece.join("\n"));
    piece = [];
  };
  const decoder = new TextDecoder();
  let rest = "";
  const reader = output.getReader();
  let isLate = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isOver = false;
  void ended.then(() => {
    if (isOver) return;
    timer = setTimeout(() => {
      isLate = true;
      void reader.cancel();
    }, REST_MS);
  });
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    const lines = (rest + decoder.decode(value, { stream: true })).split("\n");
    rest = lines.pop()!;
    for (const line of lines) {
      if (HEADING.test(line)) flush();
      piece.push(line);
    }
  }
  isOver = true;
  clearTimeout(timer);
  if (rest !== "") piece.push(rest);
  flush();
  return !isLate;
}
