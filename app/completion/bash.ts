/**
 * Completion for bash.
 *
 * @module
 */

import { all, type CommandNode, type OptionNode, programs, words } from "./tree.ts";

/** A script for bash, for the program `root` and its parts as programs. */
export function bashCompletion(root: CommandNode): string {
  const nodes = [...all(root)];
  const id = `_${root.name}`;
  const starts = [...programs(root)].map(([name, path]) => `    ${name}) path=${quote(path)} ;;`);
  const commands = nodes.filter((node) => node !== root).map(({ path }) => quote(path));
  const withValue = nodes.flatMap((node) =>
    node.options.filter(({ value }) => value !== undefined)
      .flatMap((option) => spellings(option).map((flag) => ({ key: quote(`${node.path} ${flag}`), option })))
  );
  const tables = nodes.map((node) =>
    `    ${quote(node.path)}) commands=${quote(words(node).join(" "))} options=${
      quote(node.options.flatMap(spellings).join(" "))
    } ;;`
  );
  return `# bash completion of ${root.name}, made by \`${root.name} completion bash\`
${id}() {
  local cur prev path word i commands= options=
  COMPREPLY=()
  cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]}
  if [[ $cur == = ]]; then cur=
  elif [[ $prev == = && COMP_CWORD -gt 2 ]]; then prev=\${COMP_WORDS[COMP_CWORD-2]}; fi
  case \${COMP_WORDS[0]##*/} in
${starts.join("\n")}
    *) return ;;
  esac
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    case "$path $word" in
      ${commands.join("|")}) path="$path $word" ;;
      ${withValue.map(({ key }) => key).join("|")}) ((i++)) ;;
    esac
  done
  case "$path $prev" in
${withValue.map(({ key, option }) => `    ${key}) ${values(option)}; return ;;`).join("\n")}
  esac
  case $path in
${tables.join("\n")}
  esac
  if [[ $cur == -* ]]; then COMPREPLY=($(compgen -W "$options" -- "$cur"))
  else COMPREPLY=($(compgen -W "$commands" -- "$cur")); fi
}
complete -F ${id} ${[...programs(root).keys()].join(" ")}
`;
}

function spellings({ flag, short }: OptionNode): string[] {
  return short === undefined ? [flag] : [flag, short];
}

/** What completes the value of an option. */
function values({ choices, kind }: OptionNode): string {
  if (choices.length > 0) return `COMPREPLY=($(compgen -W ${quote(choices.join(" "))} -- "$cur"))`;
  if (kind === "text") return ":";
  return `compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -${
    kind === "file" ? "f" : "d"
  } -- "$cur")`;
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
