"use strict";

// Asks for the figures every two seconds and shows them. Whatever comes from outside is text, never markup.
const PERIOD_MS = 2000;
const POINTS = 90;
const SHOWN = 50;

const past = { bits: [], packets: [], drops: [] };
let before = null;

const at = id => document.getElementById(id);

function number(value) {
  const units = ["", "k", "M", "G", "T"];
  let unit = 0;
  while (value >= 10000 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return (value < 10 && value % 1 !== 0 ? value.toFixed(1) : value.toFixed(0)) + units[unit];
}

function time(seconds) {
  const s = Math.max(0, Math.floor(seconds));
  if (s < 60) return s + "s";
  if (s < 3600) return Math.floor(s / 60) + "m" + s % 60 + "s";
  if (s < 86400) return Math.floor(s / 3600) + "h" + Math.floor(s % 3600 / 60) + "m";
  return Math.floor(s / 86400) + "d" + Math.floor(s % 86400 / 3600) + "h";
}

const isNumber = text => /^\d+(\.\d)?[kMGT%]?$/.test(text);

// numbers: which columns stand to the right
function row(kind, cells, numbers, name) {
  const tr = document.createElement("tr");
  if (name) tr.className = name;
  cells.forEach((cell, column) => {
    const td = document.createElement(kind);
    td.textContent = cell;
    if (numbers[column]) td.className = "number";
    tr.append(td);
  });
  return tr;
}

// rows: arrays of text, the last element of each being the class of the row, or ""
function table(id, headings, rows) {
  const numbers = headings.map((_, column) => rows.length > 0 && rows.every(cells => isNumber(cells[column])));
  const head = document.createElement("thead");
  head.append(row("th", headings, numbers));
  const body = document.createElement("tbody");
  for (const cells of rows) body.append(row("td", cells.slice(0, -1), numbers, cells.at(-1)));
  at(id).replaceChildren(head, body);
}

function perSecond(then, now, seconds) {
  return then === undefined ? 0 : Math.max(0, now - then) / seconds;
}

const nameOf = sa => sa.destination + " " + sa.spi;

function left(sa) {
  const parts = [];
  if (sa.left.seconds !== undefined) parts.push(time(sa.left.seconds));
  if (sa.left.packets !== undefined) parts.push(number(sa.left.packets) + " pkt");
  if (sa.left.bytes !== undefined) parts.push(number(sa.left.bytes) + "B");
  return parts.join(" ") || "-";
}

function showSas(now, seconds) {
  const earlier = new Map((before ? before.sas : []).map(sa => [nameOf(sa), sa]));
  table(
    "sas",
    ["dir", "source", "destination", "SPI", "reqid", "phase", "age", "left", "used", "packets", "bytes", "bit/s",
      "algorithm"],
    now.sas.slice(0, SHOWN).map(sa => {
      const was = earlier.get(nameOf(sa));
      return [
        sa.direction || "-",
        sa.source,
        sa.destination,
        sa.spi,
        String(sa.reqid),
        sa.phase,
        time(now.epoch_seconds - sa.added_seconds),
        left(sa),
        sa.last_use_seconds ? time(now.epoch_seconds - sa.last_use_seconds) : "never",
        number(sa.packets),
        number(sa.bytes),
        number(8 * perSecond(was && was.bytes, sa.bytes, seconds)),
        sa.mode + " " + sa.protocol + " " + sa.algorithm,
        sa.phase === "valid" ? "" : "dying"];
    }));
  const rest = now.other_sas.count + Math.max(0, now.sas.length - SHOWN);
  at("other-sas").textContent = rest ? "and " + rest + " other SAs" : "";
}

function showPolicies(now) {
  table(
    "policies",
    ["index", "dir", "priority", "reqid", "uses", "used", "action", "selector"],
    now.policies.slice(0, SHOWN).map(policy => [
      String(policy.index),
      policy.direction,
      String(policy.priority),
      String(policy.reqid),
      number(policy.uses),
      policy.last_use_seconds ? time(now.epoch_seconds - policy.last_use_seconds) : "never",
      policy.templates ? "protect" : policy.action,
      policy.selector,
      ""]));
  const rest = now.other_policies + Math.max(0, now.policies.length - SHOWN);
  at("other-policies").textContent = rest ? "and " + rest + " other policies" : "";
}

function showCounters(now, seconds) {
  const dropped = Object.entries(now.drops).filter(([, count]) => count > 0);
  table("drops", ["reason", "packets", "per second"], dropped.map(([reason, count]) => [
    reason, number(count), number(perSecond(before ? before.drops[reason] : undefined, count, seconds)), "drop"]));
  if (!dropped.length) at("drops").replaceChildren(row("td", ["none"], [false]));
  table("packets", ["", "outbound", "inbound"], Object.keys(now.outbound).map(counter => [
    counter.replaceAll("_", " "), number(now.outbound[counter]), number(now.inbound[counter]), ""]));
  const cpu = now.thread_cpu_seconds;
  table("threads", ["thread", "load"], Object.keys(cpu).map(thread => [
    thread,
    number(100 * perSecond(before ? before.thread_cpu_seconds[thread] : undefined, cpu[thread], seconds)) + "%",
    ""]));
}

function keep(points, values) {
  points.push(values);
  if (points.length > POINTS) points.shift();
}

const SVG = "http://www.w3.org/2000/svg";

// classes: of each line, which is one of the values of a point
function plot(title, points, classes, unit) {
  const top = Math.max(1, ...points.flat());
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 " + (POINTS - 1) + " 100");
  svg.setAttribute("preserveAspectRatio", "none");
  const caption = document.createElement("figcaption");
  const label = document.createElement("span");
  label.textContent = title;
  caption.append(label);
  classes.forEach((name, line) => {
    const polyline = document.createElementNS(SVG, "polyline");
    polyline.setAttribute("class", name);
    polyline.setAttribute("points", points
      .map((values, i) => (POINTS - points.length + i) + "," + (98 - 96 * values[line] / top))
      .join(" "));
    svg.append(polyline);
    const value = document.createElement("span");
    value.className = name;
    value.textContent = name + " " + number(points.length ? points.at(-1)[line] : 0) + unit;
    caption.append(value);
  });
  const figure = document.createElement("figure");
  figure.append(caption, svg);
  return figure;
}

function showRates(now, seconds) {
  if (before) {
    const of = (direction, counter) => perSecond(before[direction][counter], now[direction][counter], seconds);
    const sum = counters => Object.values(counters).reduce((all, count) => all + count, 0);
    keep(past.bits, [8 * of("outbound", "bytes"), 8 * of("inbound", "bytes")]);
    keep(past.packets, [of("outbound", "packets"), of("inbound", "packets")]);
    keep(past.drops, [perSecond(sum(before.drops), sum(now.drops), seconds)]);
  }
  at("plots").replaceChildren(
    plot("traffic", past.bits, ["out", "in"], "bit/s"),
    plot("packets", past.packets, ["out", "in"], "/s"),
    plot("drops", past.drops, ["drop"], "/s"));
}

function show(now) {
  const seconds = before ? Math.max(0.001, (now.uptime_ms - before.uptime_ms) / 1000) : 1;
  at("place").textContent = now.place + ", for " + time(now.uptime_ms / 1000) + ", "
    + now.lookups_per_packet + " lookups per packet, " + now.open_acquires + " SAs waited for";
  showSas(now, seconds);
  showPolicies(now);
  showCounters(now, seconds);
  showRates(now, seconds);
}

function showDrops(drops) {
  table(
    "latest-drops",
    ["last", "dir", "reason", "packets", "why", "look at"],
    drops.kinds.slice(0, SHOWN).map(kind => [
      new Date(kind.last).toLocaleTimeString(),
      kind.latest.direction,
      kind.latest.reason,
      String(kind.count),
      kind.latest.sentence,
      kind.latest.advice || "",
      ""]));
  if (!drops.kinds.length) at("latest-drops").replaceChildren(row("td", ["none"], [false]));
  const rest = drops.other_kinds + Math.max(0, drops.kinds.length - SHOWN);
  at("other-drops").textContent = (rest ? rest + " other kinds. " : "")
    + (drops.unseen ? drops.unseen + " drops were not looked at, as there were more than 1,000 in a second." : "");
}

function showFlows(report) {
  table(
    "flows",
    ["dir", "protocol", "source", "destination", "verdict", "SPI", "reqid", "policy", "packets/s", "bit/s"],
    report.flows.slice(0, SHOWN).map(flow => [
      flow.direction,
      flow.protocol,
      flow.source,
      flow.destination,
      flow.verdict,
      flow.spi || "-",
      flow.spi ? String(flow.reqid) : "-",
      flow.policy ? String(flow.policy) : "-",
      number(flow.packets_per_second),
      number(8 * flow.bytes_per_second),
      flow.verdict === "dropped" ? "drop" : ""]));
  const rest = report.other_flows + Math.max(0, report.flows.length - SHOWN);
  at("other-flows").textContent = rest ? "and " + rest + " other flows" : "";
}

// The answer of "why", line by line.
function explained(report) {
  if (report.error) return report.error;
  const lines = ["would be " + report.verdict + (report.reason ? " (" + report.reason + ")" : "")];
  const add = (name, text) => lines.push("  " + name.padEnd(9) + text);
  if (report.packet) add("packet", report.packet.text);
  for (const policy of report.policies) add("policy", policy.text + ", " + policy.action);
  for (const text of report.passed_over) add("not", text);
  for (const text of report.wants) add("wants", text);
  for (const state of report.states) add("SA", state.text);
  add("why", report.sentence);
  if (report.advice) add("look at", report.advice);
  return lines.join("\n");
}

async function why(event) {
  event.preventDefault();
  try {
    const words = at("question").value.trim() || at("question").placeholder;
    at("answer").textContent = explained(await fetched("why?" + encodeURIComponent(words)));
  } catch (fault) {
    at("answer").textContent = "no answer: " + fault.message;
  }
}

async function fetched(path) {
  const answer = await fetch(path);
  if (!answer.ok) throw new Error(await answer.text());
  return answer.json();
}

async function ask() {
  try {
    const now = await fetched("figures");
    showDrops(await fetched("drops"));
    showFlows(await fetched("flows"));
    // Begun anew: there is nothing to compare with.
    if (before && now.uptime_ms < before.uptime_ms) before = null;
    show(now);
    before = now;
    at("trouble").textContent = "";
  } catch (fault) {
    at("trouble").textContent = "no answer: " + fault.message;
  }
  setTimeout(ask, PERIOD_MS);
}

at("why").addEventListener("submit", why);
ask();
