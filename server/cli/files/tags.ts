/**
 * `server tag`: words to select devices by.
 *
 * @module
 */

import type { Command } from "commander";
import { parseTag, selector } from "../../../app/admin/selector.ts";
import { argument, taskCommand } from "../../../app/command.ts";
import { readDevices, unknownDevice } from "../../devices/edits.ts";
import { demandConsent, doToEach, isPattern, parseSelector } from "../admin/select.ts";
import { PLACE_OPTIONS, placeOf } from "./device_place.ts";

/** The command, below the server's command `name`. */
export function tagCommand(name: string): Command {
  return taskCommand(`${name} tag`, "Gives devices a tag, to select them by.", PLACE_OPTIONS, examples(name))
    .argument("<devices>", "a device's name, a pattern as in gw*, or tag=TAG", argument(parseSelector))
    .argument("<tag>", "a word, or two as in site:berlin", argument(parseTag))
    .option("--remove", "take it from them")
    .option("--yes", "do not ask back before several are touched")
    .action(async (devices: string, tag: string, _options: unknown, command: Command) => {
      const { remove = false, yes = false } = command.opts<{ remove?: true; yes?: true }>();
      const { file, acts } = await placeOf(command, isPattern(devices) ? undefined : devices);
      const isMeant = selector(devices);
      const all = isPattern(devices) ? await readDevices(file) : [];
      const names = isPattern(devices)
        ? all.filter(({ name, tags }) => isMeant(name, tags)).map(({ name }) => name)
        : [devices];
      if (names.length === 0) throw unknownDevice(devices, all.map(({ name }) => name));
      demandConsent(`${remove ? "takes the tag from" : "gives the tag to"} devices`, names, yes);
      const act = (name: string) => remove ? acts.tag(name, [], [tag]) : acts.tag(name, [tag]);
      await doToEach(names, act, remove ? `has ${tag} no more` : `has ${tag}`);
    });
}

function examples(name: string): string {
  return `Examples:
  ${name} tag gw1 site:berlin
  ${name} tag 'gw-b*' site:berlin --yes
  ${name} mode tag=site:berlin config
  ${name} tag tag=site:berlin lte --remove

A tag is written into devices.toml, whether the server runs or not: tags = ["site:berlin"].`;
}
