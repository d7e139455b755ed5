"use strict";
/* The start page: the list of profiles, and what is known of one. What comes from the server
 * is untrusted text (names of a program, arguments, labels): it is set as textContent only. */
(() => {
  const byId = (id) => document.getElementById(id);
  const list = byId("list"), detail = byId("detail"), message = byId("message");
  let next = null;

  function tell(text) {
    message.textContent = text;
    message.hidden = !text;
  }

  function make(tag, text, className) {
    const element = document.createElement(tag);
    if (text !== undefined) element.textContent = text;
    if (className) element.className = className;
    return element;
  }

  async function call(path, options = {}) {
    const reply = await fetch(path, options);
    if (reply.ok) return reply;
    if (reply.status === 401) {
      signedIn(false);
      list.hidden = detail.hidden = true;
      byId("login").hidden = false;
      byId("token").focus();
      throw new Error("This server wants its token.");
    }
    let text = `${reply.status} ${reply.statusText}`;
    try {
      text = (await reply.json()).error || text;
    } catch {
      /* not ours: the status has to do */
    }
    throw new Error(text);
  }

  /* The cookie cannot be seen from here: that there is one is all that is kept. */
  function signedIn(is) {
    if (is) localStorage.setItem("signed-in", "yes");
    else localStorage.removeItem("signed-in");
    byId("sign-out").hidden = !is;
  }

  async function signIn() {
    const token = byId("token").value;
    byId("token").value = "";
    const headers = { Authorization: `Token ${token}` };
    const reply = await fetch("/api/v1/session", { method: "POST", headers });
    if (!reply.ok) throw new Error("That is not the token of this server.");
    byId("login").hidden = true;
    signedIn(true);
    go();
  }

  async function signOut() {
    await call("/api/v1/session", { method: "DELETE" });
    signedIn(false);
    go();
  }

  const time = (unix) => (unix > 0 ? new Date(unix * 1000).toLocaleString() : "");
  const title = (profile) => profile.name || profile.argv.join(" ") || profile.id;

  function query() {
    const parts = new URLSearchParams();
    const words = [];
    for (const word of byId("query").value.split(/\s+/)) {
      if (word.startsWith("label:")) parts.append("label", word.slice("label:".length));
      else if (word) words.push(word);
    }
    if (words.length) parts.set("q", words.join(" "));
    return parts;
  }

  /* Up to two profiles to compare, by id, in the order they were chosen. */
  const chosen = new Map();

  const begun = (profile) => profile.start_unix || profile.received_unix;

  function showChosen() {
    for (const box of document.querySelectorAll("#rows input")) box.checked = chosen.has(box.value);
    const [later, earlier] = [...chosen.values()].sort((a, b) => begun(b) - begun(a));
    byId("compare").hidden = later === undefined;
    if (later === undefined) return;
    const named = (one) => `${title(one)} (${time(begun(one))})`;
    const what = earlier
      ? makeLink(`Compare ${named(later)} with ${named(earlier)}`,
        `/profiles/${later.id}?before=${earlier.id}`)
      : make("span", `${named(later)}: choose the profile to compare it with`);
    byId("compared").replaceChildren(what);
  }

  /* A box that chooses a profile for comparing. */
  function makeBox(profile) {
    const box = make("input");
    box.type = "checkbox";
    box.value = profile.id;
    box.checked = chosen.has(profile.id);
    box.setAttribute("aria-label", `Compare ${title(profile)}`);
    box.addEventListener("change", () => {
      if (!box.checked) chosen.delete(profile.id);
      else {
        if (chosen.size === 2) chosen.delete(chosen.keys().next().value);
        chosen.set(profile.id, profile);
      }
      showChosen();
    });
    return box;
  }

  function addRow(profile) {
    const row = make("tr");
    const cell = make("td");
    if (profile.viewer) cell.append(makeBox(profile), " ");
    const link = make("a", title(profile));
    link.href = `#/${profile.id}`;
    const details = make("a", "details", "faint");
    details.href = `#/${profile.id}/details`;
    cell.append(link, " ", details);
    if (profile.kind === "jitlog") cell.append(make("span", " jitlog", "faint"));
    const labels = make("td");
    for (const [key, value] of Object.entries(profile.labels))
      labels.append(make("span", value ? `${key}: ${value}` : key, "label"));
    row.append(cell, labels, make("td", profile.host), make("td", profile.vm),
      make("td", profile.samples.toLocaleString(), "number samples"),
      make("td", `${profile.cpu_seconds.toFixed(1)} s`, "number cpu"),
      make("td", time(profile.received_unix)));
    byId("rows").append(row);
  }

  /* Counts what was asked to be shown: a reply that a later one overtook is dropped. */
  let asked = 0;

  async function showList(more) {
    const mine = asked;
    byId("more").hidden = true; // until it is known what there is more of
    const parts = query();
    if (more) parts.set("before", next);
    const reply = await (await call(`/api/v1/profiles?${parts}`)).json();
    if (mine !== asked) return;
    if (!more) byId("rows").replaceChildren();
    reply.profiles.forEach(addRow);
    next = reply.next;
    byId("more").hidden = next === null;
    list.hidden = false;
    byId("login").hidden = detail.hidden = true;
    document.title = "vmprof: profiles";
    tell(byId("rows").childElementCount ? "" : "There is no such profile.");
  }

  function makeLink(text, path) {
    const link = make("a", text);
    link.href = path;
    return link;
  }

  function addFact(key, value) {
    if (value === "" || value === undefined) return;
    byId("facts").append(make("dt", key), make("dd", value));
  }

  function showFacts(profile) {
    byId("name").textContent = title(profile);
    document.title = `vmprof: ${title(profile)}`;
    byId("facts").replaceChildren();
    addFact("Arguments", profile.argv.join(" "));
    addFact("Machine", [profile.host, profile.os, profile.arch].filter(Boolean).join(", "));
    addFact("Interpreter", profile.vm);
    addFact("Started", time(profile.start_unix));
    addFact("Ran", profile.end_unix > profile.start_unix
      ? `${(profile.end_unix - profile.start_unix).toFixed(2)} s` : "");
    addFact("CPU", `${profile.cpu_seconds.toFixed(2)} s`);
    addFact("Samples", profile.samples.toLocaleString());
    addFact("Log", `${profile.bytes.toLocaleString()} bytes${profile.cut ? ", without a clean end" : ""}`);
    addFact("Received", time(profile.received_unix));
    byId("new-name").value = profile.name;
    byId("new-labels").value =
      Object.entries(profile.labels).map(([key, value]) => `${key}:${value}`).join("\n");
  }

  function showLinks(profile) {
    const base = `/api/v1/profiles/${profile.id}`;
    const links = profile.viewer ? [makeLink("Flame graph, tables, timeline", profile.viewer)] : [];
    links.push(makeLink("Log", `${base}/log`));
    if (profile.kind === "log")
      for (const view of ["tree", "flat", "callers", "lines", "threads", "memory", "info"])
        links.push(makeLink(`${view} (JSON)`, `${base}/view/${view}`));
    byId("links").replaceChildren(...links);
  }

  async function showFunctions(profile) {
    const mine = asked;
    const table = byId("functions");
    table.hidden = true;
    if (profile.kind !== "log") return;
    const flat = await (await call(`/api/v1/profiles/${profile.id}/view/flat?limit=50`)).json();
    if (mine !== asked) return;
    byId("hot").replaceChildren(...flat.functions.map((one) => {
      const row = make("tr");
      row.append(make("td", `${one.self.percent.toFixed(1)} %`, "number"),
        make("td", `${one.total.percent.toFixed(1)} %`, "number"),
        make("td", one.function),
        make("td", one.file ? `${one.file}:${one.line}` : "", "faint"));
      return row;
    }));
    table.hidden = flat.functions.length === 0;
  }

  let shown = null;

  async function showProfile(id, details) {
    const mine = asked;
    const profile = await (await call(`/api/v1/profiles/${encodeURIComponent(id)}`)).json();
    if (mine !== asked) return;
    if (profile.viewer && !details) {
      location.replace(profile.viewer);
      return;
    }
    shown = profile.id;
    showFacts(profile);
    showLinks(profile);
    byId("login").hidden = list.hidden = true;
    detail.hidden = false;
    tell("");
    await showFunctions(profile);
  }

  async function run(work) {
    const mine = asked;
    try {
      await work();
    } catch (error) {
      if (mine === asked) tell(error.message);
    }
  }

  /* "#/ID" is the viewer's page, if there is one; "#/ID/details" what is known of the profile. So is
   * "#/ID/traces", which vmprof before 1.0 printed for jitlogs. */
  function go() {
    asked++;
    const [id, details] = location.hash.replace(/^#\/?/, "").split("/");
    run(() => (id ? showProfile(decodeURIComponent(id), details) : showList(false)));
  }

  byId("search").addEventListener("submit", (event) => event.preventDefault());
  byId("query").addEventListener("input", () => {
    if (location.hash.length > 2) location.hash = "#/";
    else go();
  });
  byId("compare-none").addEventListener("click", () => {
    chosen.clear();
    showChosen();
  });
  byId("more").addEventListener("click", () => run(() => showList(true)));
  byId("login").addEventListener("submit", (event) => {
    event.preventDefault();
    run(signIn);
  });
  byId("sign-out").addEventListener("click", () => run(signOut));
  byId("labels").addEventListener("submit", (event) => {
    event.preventDefault();
    const labels = {};
    for (const line of byId("new-labels").value.split("\n")) {
      const [key, ...rest] = line.trim().split(":");
      if (key) labels[key] = rest.join(":").trim();
    }
    const body = JSON.stringify({ name: byId("new-name").value, labels });
    const headers = { "Content-Type": "application/json" };
    run(async () => {
      const mine = asked;
      const profile = await (await call(`/api/v1/profiles/${shown}`, { method: "PATCH", headers, body })).json();
      if (mine !== asked) return;
      showFacts(profile);
      tell("Saved.");
    });
  });
  byId("remove").addEventListener("click", () => {
    if (!confirm("Delete this profile for good?")) return;
    run(async () => {
      const mine = asked;
      await call(`/api/v1/profiles/${shown}`, { method: "DELETE" });
      chosen.delete(shown);
      showChosen();
      if (mine === asked) location.hash = "#/";
    });
  });
  window.addEventListener("hashchange", go);
  signedIn(localStorage.getItem("signed-in") !== null);
  go();
})();
