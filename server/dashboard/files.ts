/**
 * The dashboard's files, as texts within the program.
 *
 * @module
 */

import type { SiteFile } from "../../app/admin/http/site.ts";
import acts from "./web/acts.js" with { type: "text" };
import api from "./web/api.js" with { type: "text" };
import app from "./web/app.js" with { type: "text" };
import audit from "./web/audit.js" with { type: "text" };
import chart from "./web/chart.js" with { type: "text" };
import clients from "./web/clients.js" with { type: "text" };
import device from "./web/device.js" with { type: "text" };
import devices from "./web/devices.js" with { type: "text" };
import dialog from "./web/dialog.js" with { type: "text" };
import dom from "./web/dom.js" with { type: "text" };
import events from "./web/events.js" with { type: "text" };
import format from "./web/format.js" with { type: "text" };
import icon from "./web/icon.svg" with { type: "text" };
import index from "./web/index.html" with { type: "text" };
import linkActs from "./web/link_acts.js" with { type: "text" };
import live from "./web/live.js" with { type: "text" };
import login from "./web/login.js" with { type: "text" };
import parts from "./web/parts.js" with { type: "text" };
import partsStyle from "./web/parts.css" with { type: "text" };
import refusals from "./web/refusals.js" with { type: "text" };
import server from "./web/server.js" with { type: "text" };
import serverActs from "./web/server_acts.js" with { type: "text" };
import services from "./web/services.js" with { type: "text" };
import store from "./web/store.js" with { type: "text" };
import style from "./web/style.css" with { type: "text" };
import tablesStyle from "./web/tables.css" with { type: "text" };
import table from "./web/table.js" with { type: "text" };
import timeline from "./web/timeline.js" with { type: "text" };
import words from "./web/words.js" with { type: "text" };

const scripts = {
  acts,
  api,
  app,
  audit,
  chart,
  clients,
  device,
  devices,
  dialog,
  dom,
  events,
  format,
  link_acts: linkActs,
  live,
  login,
  parts,
  refusals,
  server,
  server_acts: serverActs,
  services,
  store,
  table,
  timeline,
  words,
};

/** All of them. */
export const DASHBOARD: readonly SiteFile[] = [
  { path: "/", type: "text/html; charset=utf-8", text: index },
  { path: "/style.css", type: "text/css; charset=utf-8", text: style },
  { path: "/tables.css", type: "text/css; charset=utf-8", text: tablesStyle },
  { path: "/parts.css", type: "text/css; charset=utf-8", text: partsStyle },
  { path: "/icon.svg", type: "image/svg+xml", text: icon },
  ...Object.entries(scripts).map(([name, text]) => ({
    path: `/${name}.js`,
    type: "text/javascript; charset=utf-8",
    text,
  })),
];
