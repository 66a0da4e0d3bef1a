/**
 * Completion for fish.
 *
 * @module
 */

import { all, type CommandNode, type OptionNode, programs } from "./tree.ts";

/** A script for fish, for the program `root` and its parts as programs. */
export function fishCompletion(root: CommandNode): string {
  const nodes = [...all(root)];
  const id = `__${root.name}_path`;
  const starts = [...programs(root)].map(([name, path]) => `    case ${quote(name)}\n      set path ${quote(path)}`);
  const commands = nodes.filter((node) => node !== root).map(({ path }) => quote(path));
  const skipped = nodes.flatMap((node) =>
    node.options.filter(({ value }) => value !== undefined)
      .flatMap(({ flag, short }) => [flag, ...(short ? [short] : [])].map((each) => quote(`${node.path} ${each}`)))
  );
  const complete = `complete ${[...programs(root).keys()].map((name) => `-c ${name}`).join(" ")}`;
  const rules = nodes.flatMap((node) => {
    const here = `${complete} -n ${quote(`test (${id}) = "${node.path}"`)}`;
    return [
      ...node.commands.map(({ name, summary }) => `${here} -f -a ${quote(name)} -d ${quote(summary)}`),
      ...node.arguments.flatMap(({ choices }) => choices).map((word) => `${here} -f -a ${quote(word)}`),
      ...node.options.map((option) => `${here} ${rule(option)}`),
    ];
  });
  return `# fish completion of ${root.name}, made by \`${root.name} completion fish\`
function ${id}
  set -l words (commandline -opc)
  set -l path
  switch (string split -r -m1 / -- $words[1])[-1]
${starts.join("\n")}
  end
  set -l skip 0
  for word in $words[2..-1]
    if test $skip = 1
      set skip 0
      continue
    end
    switch "$path $word"
    case ${commands.join(" ")}
      set path "$path $word"
    case ${skipped.join(" ")}
      set skip 1
    end
  end
  echo $path
end
${complete} -f
${rules.join("\n")}
`;
}

/** How `complete` takes an option. */
function rule({ flag, short, value, kind, choices, help }: OptionNode): string {
  const values = value === undefined
    ? []
    : choices.length > 0
    ? ["-x", "-a", quote(choices.join(" "))]
    : kind === "file"
    ? ["-r", "-F"]
    : kind === "folder"
    ? ["-x", "-a", quote("(__fish_complete_directories)")]
    : ["-x"];
  return ["-l", flag.replace(/^--/, ""), ...(short ? ["-s", short.slice(1)] : []), ...values, "-d", quote(help)].join(
    " ",
  );
}

function quote(text: string): string {
  return `'${text.replaceAll(/[\\']/g, "\\$&")}'`;
}
