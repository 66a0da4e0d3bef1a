/**
 * Several things to do, a few at a time, and what they print, put together again.
 *
 * @module
 */

/** Does all of `jobs`, at most `count` of them at once, and begins them in their order. @returns what each came to. */
export async function byWorkers<Job, Outcome>(
  count: number,
  jobs: readonly Job[],
  work: (job: Job) => Promise<Outcome>,
): Promise<Outcome[]> {
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

/** Passes the output of a process on: each file's tests in one piece, however many processes print at once. */
export async function passOn(output: ReadableStream<BufferSource>, say: (text: string) => void): Promise<void> {
  let piece: string[] = [];
  const flush = () => {
    if (piece.length > 0) say(piece.join("\n"));
    piece = [];
  };
  const decoder = new TextDecoder();
  let rest = "";
  for await (const bytes of output) {
    const lines = (rest + decoder.decode(bytes, { stream: true })).split("\n");
    rest = lines.pop()!;
    for (const line of lines) {
      if (HEADING.test(line)) flush();
      piece.push(line);
    }
  }
  if (rest !== "") piece.push(rest);
  flush();
}
