import assert from "node:assert/strict";
import { Argument, Command, Option } from "commander";
import { folderTest, test } from "../../tests/rig/test.ts";
import { addOptions } from "../options.ts";
import { oneOf } from "../values.ts";
import { bashCompletion } from "./bash.ts";
import { SHELLS } from "./command.ts";
import { readCommand } from "./tree.ts";

/** A program with one of each thing that completion knows. */
function program(): Command {
  const add = new Command("add").description("Adds one; it's new.").addArgument(
    new Argument("<kind>", "what it is").choices(["big", "small"]),
  );
  const role = new Command("role").summary("It runs.").description("It runs.\n\nExamples:\n  tool role").addCommand(
    add,
  );
  addOptions(role, {
    level: { value: "LEVEL", help: "how [much]", parse: oneOf("low", "high"), preset: "low" },
    state: { value: "DIR", help: "a folder", parse: String },
    name: { value: "NAME", help: "anything", parse: String },
    plain: { value: "", help: "no more", parse: Boolean, flag: true },
  }, false);
  role.addOption(new Option("--secret <X>", "for tests").hideHelp());
  return new Command("tool").addCommand(role).addCommand(new Command("other").description("Does something else."));
}

const root = readCommand(program());

test("commands are read as their help has them", () => {
  assert.deepEqual(root.commands.map(({ path, summary }) => [path, summary]), [
    ["tool role", "It runs."],
    ["tool other", "Does something else."],
  ]);
  const [role] = root.commands;
  assert.equal(role!.examples, "Examples:\n  tool role");
  assert.deepEqual(
    role!.options.map(({ flag, kind, choices }) => [flag, kind, choices.join()]),
    [
      ["--level", "text", "low,high"],
      ["--state", "folder", ""],
      ["--name", "text", ""],
      ["--plain", "none", ""],
      ["--help", "none", ""],
    ],
  );
  assert.deepEqual(role!.commands[0]!.arguments.map(({ name, choices }) => [name, choices.length]), [["kind", 2]]);
});

folderTest(
  "bash completes commands, options, their values and arguments, and the program of a part",
  async (folder) => {
    await Deno.writeTextFile(`${folder}/tool`, bashCompletion(root));
    await Deno.mkdir(`${folder}/a folder`);
    const complete = async (...words: string[]): Promise<string[]> => {
      const script =
        `source "$0"; cd "\${0%/*}"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _tool; printf '%s\\n' "\${COMPREPLY[@]}"`;
      const args = ["--norc", "-c", script, `${folder}/tool`, ...words];
      const { stdout, stderr } = await new Deno.Command("bash", { args }).output();
      assert.equal(new TextDecoder().decode(stderr), "");
      return new TextDecoder().decode(stdout).split("\n").filter((line) => line !== "");
    };
    assert.deepEqual(await complete("tool", ""), ["role", "other"]);
    assert.deepEqual(await complete("/usr/bin/tool-role", "a"), ["add"]);
    assert.deepEqual(await complete("tool", "role", "--"), ["--level", "--state", "--name", "--plain", "--help"]);
    assert.deepEqual(await complete("tool", "role", "--level", ""), ["low", "high"]);
    assert.deepEqual(await complete("tool", "role", "--level", "=", "h"), ["high"]);
    assert.deepEqual(await complete("tool", "role", "--state", "a"), ["a folder"]);
    assert.deepEqual(await complete("tool", "role", "--name", ""), []);
    assert.deepEqual(await complete("tool", "role", "--name", "add", ""), ["add"], "a value is no command");
    assert.deepEqual(await complete("tool", "role", "add", "s"), ["small"]);
    assert.deepEqual(await complete("other-tool", ""), []);
  },
);

test("the script of every shell has every command and option that is shown, and none that is hidden", () => {
  for (const [shell, script] of Object.entries(SHELLS)) {
    const text = script(root);
    for (const word of ["role", "other", "add", "level", "state", "low", "small"]) {
      assert.match(text, new RegExp(`\\b${word}\\b`), shell);
    }
    assert.doesNotMatch(text, /secret/, shell);
  }
});
