import assert from "node:assert/strict";
import { systemClock } from "../../base/clock.ts";
import { FakeClock } from "../../tests/rig/clock.ts";
import { RecordingLogger } from "../../tests/rig/logger.ts";
import { folderTest } from "../../tests/rig/test.ts";
import { settled } from "../../tests/rig/wait.ts";
import {
  AUDIT_FILES_KEPT,
  AUDIT_LOOK_MS,
  AUDIT_RETRY_MS,
  AUDIT_SAID_MS,
  MAX_AUDIT_BACKLOG,
  MAX_AUDIT_TEXT,
} from "../limits.ts";
import { AuditFile } from "./audit_file.ts";
import { auditCommand } from "./command_line.ts";
import { openLog } from "./open_log.ts";
import { AuditMoved, type AuditPage, type AuditQuery, readAuditEnd } from "./read_end.ts";

function linesOf(path: string): Record<string, unknown>[] {
  return Deno.readTextFileSync(path).split("\n").filter((line) => line !== "").map((line) => JSON.parse(line));
}

folderTest("lines stand in their order, with the time, in a file that nobody else can read", async (folder) => {
  const path = `${folder}/audit.log`;
  const audit = new AuditFile({ path, clock: new FakeClock(), logger: new RecordingLogger() });
  for (let at = 0; at < 1_000; at++) audit.add({ event: "x", at, none: undefined });
  audit.add({ event: "y", text: "z".repeat(2 * MAX_AUDIT_TEXT) });
  await audit.close();
  const lines = linesOf(path);
  assert.deepEqual(lines.slice(0, 1_000).map(({ at }) => at), Array.from({ length: 1_000 }, (_, at) => at));
  assert.match(lines[0]!["time"] as string, /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
  assert.equal((lines[1_000]!["text"] as string).length, MAX_AUDIT_TEXT + 1);
  assert.equal(Deno.statSync(path).mode! & 0o777, 0o600);
  assert.equal(audit.written, 1_001);
});

folderTest("a full file is put aside, and so many are kept", async (folder) => {
  const path = `${folder}/audit.log`;
  const audit = new AuditFile({ path, clock: new FakeClock(), logger: new RecordingLogger(), size: 100 });
  const count = AUDIT_FILES_KEPT + 5;
  for (let at = 0; at < count; at++) {
    audit.add({ event: "x", at, fill: "x".repeat(60) });
    await audit.settled();
  }
  await audit.close();
  assert.equal(linesOf(path)[0]!["at"], count - 1);
  assert.equal(linesOf(`${path}.1`)[0]!["at"], count - 2);
  assert.deepEqual([...Deno.readDirSync(folder)].length, AUDIT_FILES_KEPT + 1);
});

folderTest("a file that was moved away is opened anew: at a signal at once, else soon", async (folder) => {
  const path = `${folder}/audit.log`;
  const clock = new FakeClock();
  const audit = new AuditFile({ path, clock, logger: new RecordingLogger() });
  const say = async (event: string) => {
    audit.add({ event });
    await audit.settled();
  };
  await say("a");
  Deno.renameSync(path, `${path}.old`);
  await say("b");
  audit.reopen();
  await say("c");
  Deno.removeSync(path);
  clock.jump(AUDIT_LOOK_MS);
  await say("d");
  await audit.close();
  assert.deepEqual(linesOf(`${path}.old`).map(({ event }) => event), ["a", "b"]);
  assert.deepEqual(linesOf(path).map(({ event }) => event), ["d"]);
});

folderTest(
  "a full disk stops nothing: lines wait, then are counted, where they are missing; it is said once",
  async (folder) => {
    const path = `${folder}/audit.log`;
    const clock = new FakeClock();
    const logger = new RecordingLogger();
    let room = 100; // bytes
    const audit = new AuditFile({
      path,
      clock,
      logger,
      async open(path) {
        const file = await openLog(path);
        return {
          get size() {
            return file.size;
          },
          isAt: (path) => file.isAt(path),
          close: () => file.close(),
          async write(bytes) {
            const part = bytes.subarray(0, room);
            await file.write(part);
            room -= part.length;
            if (part.length < bytes.length) throw new Deno.errors.WriteZero("No space left on device");
          },
        };
      },
    });
    audit.add({ event: "first" });
    await audit.settled();
    const line = { event: "x", fill: "x".repeat(1_000) };
    const count = Math.ceil(MAX_AUDIT_BACKLOG / 1_000) + 100;
    for (let at = 0; at < count; at++) audit.add(line);
    assert.ok(audit.lost > 100, `${audit.lost}`);
    await clock.advance(3 * AUDIT_RETRY_MS);
    await audit.settled();
    assert.equal(logger.lines.filter((line) => line.includes("cannot be written")).length, 1);
    room = Infinity;
    await clock.advance(AUDIT_RETRY_MS);
    await audit.settled();
    audit.add({ event: "last" });
    await audit.close();
    const texts = Deno.readTextFileSync(path).split("\n").filter((text) => text !== "");
    assert.throws(() => JSON.parse(texts[1]!), "half a line, as the disk was full then");
    const lines = texts.toSpliced(1, 1).map((text) => JSON.parse(text) as Record<string, unknown>);
    assert.equal(lines.length, audit.written, "none is there twice");
    assert.equal(lines[0]!["event"], "first");
    assert.deepEqual(lines.slice(-2).map(({ event }) => event), ["lines-lost", "last"]);
    assert.equal(lines.at(-2)!["lines"], audit.lost);
    assert.equal(logger.lines.filter((line) => line.includes("is written again")).length, 1);
  },
);

folderTest(
  "the newest lines are read from the end, page by page, and what is half a line is passed over",
  async (folder) => {
    const path = `${folder}/audit.log`;
    assert.deepEqual(await readAuditEnd(path, { limit: 5 }, systemClock), { lines: [], cursor: undefined });
    const text = Array.from({ length: 20_000 }, (_, at) => `{"at":${at},"fill":"${"é".repeat(20)}"}\n`);
    text.splice(10_000, 0, '{"half":\n', "\n");
    await Deno.writeTextFile(path, text.join("") + '{"at":99');
    const all: unknown[] = [];
    for (let cursor: string | undefined, first = true; first || cursor !== undefined; first = false) {
      const page = await readAuditEnd(path, { limit: 500, cursor }, systemClock);
      assert.ok(page.lines.length <= 500);
      all.push(...page.lines.map(({ at }) => at));
      cursor = page.cursor;
    }
    assert.deepEqual(all, Array.from({ length: 20_000 }, (_, at) => 19_999 - at));
    const { cursor } = await readAuditEnd(path, { limit: 1 }, systemClock);
    await Deno.rename(path, `${path}.1`);
    await Deno.writeTextFile(path, '{"at":1}\n');
    await assert.rejects(readAuditEnd(path, { limit: 1, cursor }, systemClock), AuditMoved);
  },
);

folderTest(
  "lines are found by what they say and by their time, however many others are between them",
  async (folder) => {
    const path = `${folder}/audit.log`;
    const time = (at: number) => new Date(at * 1_000).toISOString();
    const text = Array.from({ length: 20_000 }, (_, at) => `{"time":"${time(at)}","at":${at}}\n`);
    await Deno.writeTextFile(path, text.join(""));
    const found = async (query: Partial<AuditQuery>) => {
      const all: unknown[] = [];
      let pages = 0;
      let cursor: string | undefined;
      do {
        const page: AuditPage = await readAuditEnd(path, { limit: 500, cursor, ...query }, systemClock);
        all.push(...page.lines.map(({ at }) => at));
        cursor = page.cursor;
        pages++;
      } while (cursor !== undefined);
      return { all, pages };
    };
    const rare = { isWanted: ({ at }: Record<string, unknown>) => Number(at) % 5_000 === 0 };
    const { all, pages } = await found(rare);
    assert.deepEqual(all, [15_000, 10_000, 5_000, 0]);
    assert.ok(pages > 2 && pages < 10, `${pages} pages`);
    assert.deepEqual((await found({ ...rare, since: 9_000_000 })).all, [15_000, 10_000]);
    assert.deepEqual(await found({ since: 19_998_500 }), { all: [19_999], pages: 2 });
  },
);

folderTest("lines of a clock that was wrong for a while hide none from before them", async (folder) => {
  const path = `${folder}/audit.log`;
  const times = [
    "2026-11-29T20:00Z",
    "2026-11-29T23:50Z",
    "1970-01-01T00:00Z",
    "1970-01-01T00:01Z",
    "2026-11-29T23:55Z",
  ];
  await Deno.writeTextFile(path, times.map((time) => JSON.stringify({ time }) + "\n").join(""));
  const { lines, cursor } = await readAuditEnd(path, { limit: 9, since: Date.parse("2026-11-29T23:00Z") }, systemClock);
  assert.deepEqual([lines.map(({ time }) => time), cursor], [[times[4], times[1]], undefined]);
});

folderTest("a file of short lines that say nothing is read in turns with others", async (folder) => {
  const path = `${folder}/audit.log`;
  await Deno.writeTextFile(path, "{\n".repeat(20_000));
  let turns = 0;
  const timer = setInterval(() => void turns++);
  const page = await readAuditEnd(path, { limit: 5 }, systemClock);
  clearInterval(timer);
  assert.deepEqual(page, { lines: [], cursor: undefined });
  assert.ok(turns > 10, `${turns} turns`);
});

folderTest("an audit that cannot be looked for is told with its path", async (folder) => {
  const path = `${folder}/audit.log`;
  await Deno.symlink(path, path);
  await assert.rejects(readAuditEnd(path, { limit: 1 }, systemClock), {
    name: "ConfigError",
    message: new RegExp(`^Cannot read ${path}: .*`),
  });
});

folderTest("a command adds a line to an audit that is there, and says so if it is not", (folder) => {
  const path = `${folder}/audit.log`;
  assert.match(auditCommand(path, { event: "act" })!, /is not there/);
  Deno.writeTextFileSync(path, "");
  assert.equal(auditCommand(path, { event: "act", act: "server disable" }), undefined);
  const [line] = linesOf(path);
  assert.deepEqual([line!["act"], (line!["by"] as { via: string }).via], ["server disable", "command"]);
  assert.equal(auditCommand(undefined, { event: "act" }), undefined);
});

async function mkfifo(path: string): Promise<void> {
  assert.ok((await new Deno.Command("mkfifo", { args: [path] }).output()).success);
}

folderTest(
  "what is no file there is refused, without a wait for a reader; it is said once, and again when lines are written",
  async (folder) => {
    const path = `${folder}/audit.log`;
    const pipe = `${folder}/pipe`;
    await mkfifo(pipe);
    for (const other of ["/dev/full", "/dev/null", folder, pipe, `${folder}/no/such`]) {
      Deno.symlinkSync(other, path);
      const clock = new FakeClock();
      const logger = new RecordingLogger();
      const audit = new AuditFile({ path, clock, logger });
      for (let at = 0; at < 10; at++) {
        audit.add({ event: "x", at });
        await audit.settled();
        await clock.advance(AUDIT_RETRY_MS);
        await audit.settled();
      }
      audit.reopen();
      await audit.settled();
      assert.equal(logger.said.length, 1, `${other}: ${logger.said.join("; ")}`);
      assert.match(logger.said[0]!, /^error: the audit .* cannot be written: /);
      assert.deepEqual(await readAuditEnd(path, { limit: 5 }, systemClock), { lines: [], cursor: undefined });
      Deno.removeSync(path);
      await clock.advance(AUDIT_RETRY_MS);
      await audit.settled();
      assert.match(logger.said[1]!, /is written again; 0 lines were lost/);
      await audit.close();
      assert.equal(linesOf(path).length, 10);
      Deno.removeSync(path);
    }
  },
);

folderTest("a file that can be written now and then is told of now and then", async (folder) => {
  const clock = new FakeClock();
  const logger = new RecordingLogger();
  let fails = false;
  const audit = new AuditFile({
    path: `${folder}/audit.log`,
    clock,
    logger,
    open: async (path) => {
      if (fails) throw new Deno.errors.WriteZero("No space left on device");
      return await openLog(path);
    },
  });
  for (let at = 0; at < 100; at++) {
    fails = !fails;
    audit.reopen();
    audit.add({ event: "x", at });
    await audit.settled();
    await clock.advance(AUDIT_RETRY_MS);
    await audit.settled();
  }
  const minutes = 100 * AUDIT_RETRY_MS / AUDIT_SAID_MS;
  assert.ok(logger.said.length <= 2 * Math.ceil(minutes) + 2, `${logger.said.length} lines in ${minutes} minutes`);
  fails = false;
  await clock.advance(AUDIT_SAID_MS);
  audit.add({ event: "last" });
  await audit.settled();
  await audit.close();
  assert.match(logger.said.at(-1)!, /is written again/);
});

folderTest("a write that never comes back stops nothing, and it is said that lines are lost", async (folder) => {
  const logger = new RecordingLogger();
  const clock = new FakeClock();
  const stuck = Promise.withResolvers<void>();
  const audit = new AuditFile({
    path: `${folder}/audit.log`,
    clock,
    logger,
    open: () => Promise.resolve({ size: 0, write: () => stuck.promise, isAt: () => Promise.resolve(true), close() {} }),
  });
  const line = { event: "x", fill: "x".repeat(1_000) };
  for (let at = 0; at < 2 * MAX_AUDIT_BACKLOG / 1_000; at++) audit.add(line);
  await settled();
  assert.deepEqual(logger.matching(/are lost/).length, 1, logger.said.join("; "));
  stuck.resolve();
  await audit.close();
});

folderTest("what another user may have put in place of an audit is not written to", async (folder) => {
  const victim = `${folder}/victim`;
  Deno.writeTextFileSync(victim, "");
  const path = `${folder}/audit.log`;
  Deno.symlinkSync(victim, path);
  (await openLog(path)).close(); // our own link is followed
  const refused = async (why: RegExp) => {
    await assert.rejects(openLog(path), why);
    assert.match(auditCommand(path, { event: "act" }) ?? "", why);
    assert.equal(Deno.readTextFileSync(victim), "");
  };
  Deno.chmodSync(folder, 0o777);
  await refused(/everybody can write to .*; run: chmod o-w /);
  Deno.chmodSync(folder, 0o1777);
  (await openLog(path)).close();
  if (Deno.uid() !== 0) return; // only root can make what is another's
  await new Deno.Command("chown", { args: ["-h", "4711", path] }).output();
  await refused(/it is a link of another user's \(uid 4711\)/);
  Deno.chmodSync(folder, 0o755);
  await refused(/it is a link of another user's/);
  Deno.removeSync(path);
  Deno.writeTextFileSync(path, "");
  Deno.chownSync(path, 4711, 4711);
  (await openLog(path)).close();
  Deno.chmodSync(folder, 0o1777);
  await refused(/it is a file of another user's/);
});
