/**
 * Completion for zsh.
 *
 * @module
 */

import { all, type CommandNode, type OptionNode, programs } from "./tree.ts";

/** A script for zsh, for the program `root` and its parts as programs. */
export function zshCompletion(root: CommandNode): string {
  const starts = [...programs(root)].map(([name, path]) => `  ${name}) ${functionOf(path)} ;;`);
  return `#compdef ${[...programs(root).keys()].join(" ")}
# zsh completion of ${root.name}, made by \`${root.name} completion zsh\`
${[...all(root)].map(functionText).join("\n")}
case \${service:t} in
${starts.join("\n")}
esac
`;
}

function functionText(node: CommandNode): string {
  const options = node.options.flatMap(specs).map((spec) => `    ${quote(spec)}`);
  if (node.commands.length === 0) {
    const args = node.arguments.map(({ name, required, choices }) =>
      `    ${quote(`:${required ? "" : ":"}${plain(name)}:${choices.length > 0 ? `(${choices.join(" ")})` : " "}`)}`
    );
    return `${functionOf(node.path)}() {\n  _arguments -S \\\n${[...options, ...args].join(" \\\n")}\n}`;
  }
  const commands = node.commands.map(({ name, summary }) => `        ${quote(`${name}:${summary}`)}`);
  const cases = node.commands.map(({ name, path }) => `        ${name}) ${functionOf(path)} ;;`);
  return `${functionOf(node.path)}() {
  local context state state_descr line
  typeset -A opt_args
  _arguments -C -S \\
${options.join(" \\\n")} \\
    ': :->command' '*:: :->rest'
  case $state in
    command)
      local -a commands=(
${commands.join("\n")}
      )
      _describe -t commands command commands ;;
    rest)
      case $line[1] in
${cases.join("\n")}
      esac ;;
  esac
}`;
}

/** The file is a function by itself, named after the program with one underscore. */
function functionOf(path: string): string {
  return `__${path.replaceAll(/[ -]/g, "_")}`;
}

/** How `_arguments` takes an option; it may stand any number of times, as some may, and others say so when it is run. */
function specs({ flag, short, value, kind, choices, help }: OptionNode): string[] {
  const words = `[${help.replaceAll(/[\\[\]]/g, "\\$&")}]`;
  const action = choices.length > 0
    ? `(${choices.join(" ")})`
    : kind === "file"
    ? "_files"
    : kind === "folder"
    ? "_files -/"
    : " ";
  const behind = value === undefined ? "" : `:${plain(value)}:${action}`;
  return [
    `*${flag}${value === undefined ? "" : "="}${words}${behind}`,
    ...(short ? [`*${short}${words}${behind}`] : []),
  ];
}

function plain(text: string): string {
  return text.replaceAll(":", "\\:");
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
