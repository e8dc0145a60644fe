// The page at "/": sends files and shows what the API says of them. Everything that comes from a file or from the API is
// put in as text, never as markup. The key lives in this tab's sessionStorage and goes out as a header only, so no other
// site can use it.
"use strict";

const HEAD_BYTES = 1 << 20;
const CUTTABLE = /\.(csv|tsv|txt|ndjson|jsonl)$/i; // a head of these can be read by itself
const ENDED_WORDS = {
  done: "Done.",
  failed: "The run failed.",
  quarantined: "The file can't be read.",
  cancelled: "Cancelled.",
};
const FUNNEL = ["received", "rejected", "duplicates", "routed", "in_review"];
const STORED_KEY = "aiqleads-key";

const at = (id) => document.getElementById(id);
const state = { file: null, mapping: {}, carried: {}, recognised: null, batch: null, watched: null, watching: null, previewing: 0 };

// --- asking the API ----------------------------------------------------------------------------------------------

class Refused extends Error {
  constructor(problem, status) {
    const faults = (problem.errors || []).map((fault) => fault.message);
    super([problem.title || `Refused (${status}).`, problem.detail, ...faults, problem.how_to_fix]
      .filter(Boolean).join("\n"));
    this.status = status;
    this.problem = problem;
  }
}

const authorization = () => ({ Authorization: `Bearer ${sessionStorage.getItem(STORED_KEY) || ""}` });

async function refusal(answer) {
  return new Refused(await answer.json().catch(() => ({})), answer.status);
}

async function ask(path, options = {}) {
  const answer = await fetch(path, { ...options, headers: { ...authorization(), ...options.headers } });
  if (!answer.ok) throw await refusal(answer);
  return answer;
}

function tell(text) {
  at("status").textContent = text;
}

function show(id, isShown = true) {
  at(id).hidden = !isShown;
}

function complain(error) {
  at("problem").textContent = error instanceof Refused ? error.message : "The service can't be reached. Try again.";
  show("problem");
  if (error instanceof Refused && error.status === 401) signOut();
}

function calm() {
  show("problem", false);
}

async function attempt(work) {
  calm();
  try {
    await work();
  } catch (error) {
    complain(error);
  }
}

function element(name, text, className) {
  const made = document.createElement(name);
  if (text !== undefined && text !== null) made.textContent = text;
  if (className) made.className = className;
  return made;
}

function row(...cells) {
  const made = element("tr");
  made.append(...cells);
  return made;
}

// --- signing in --------------------------------------------------------------------------------------------------

async function signIn() {
  const who = await (await ask("/v1/whoami")).json();
  at("who-name").textContent = `${who.client} (${who.role})`;
  show("who");
  show("sign-in", false);
  show("choose");
  if (location.hash.length > 1) watch(decodeURIComponent(location.hash.slice(1)));
}

function signOut() {
  sessionStorage.removeItem(STORED_KEY);
  stopWatching();
  for (const id of ["who", "choose", "columns", "start-line", "progress"]) show(id, false);
  show("sign-in");
  at("key").value = "";
  at("key").focus();
}

// --- choosing a file and its columns -----------------------------------------------------------------------------

function form(file, isHead) {
  const made = new FormData();
  const source = at("source").value.trim();
  if (source) made.append("source", source);
  if (Object.keys(state.mapping).length) made.append("mapping", JSON.stringify(state.mapping));
  if (isHead) made.append("is_head", "true");
  made.append("file", file, state.file.name);
  return made;
}

async function choose(file) {
  state.file = file;
  state.mapping = state.carried; // of the file whose rows were corrected
  state.carried = {};
  state.recognised = null;
  show("progress", false);
  show("columns", false);
  show("start-line", false);
  if (file.size > Number(document.body.dataset.maxUploadMb) * 2 ** 20) {
    throw new Refused({ title: `The file is larger than ${document.body.dataset.maxUploadMb} MB.` }, 413);
  }
  await preview();
  if (!at("columns").hidden) at("columns-title").focus();
}

async function preview() {
  const isHead = CUTTABLE.test(state.file.name) && state.file.size > HEAD_BYTES;
  if (!isHead && state.file.size > Number(document.body.dataset.maxPreviewMb) * 2 ** 20) {
    tell("The file is too large to be shown first. Start when you are ready.");
    show("start-line");
    return;
  }
  tell("Reading the columns…");
  const number = ++state.previewing;
  const body = form(isHead ? state.file.slice(0, HEAD_BYTES) : state.file, isHead);
  const found = await (await ask("/v1/uploads/preview", { method: "POST", body })).json();
  if (number !== state.previewing) return; // an answer to a later question is on its way
  if (!Object.keys(state.mapping).length) state.recognised = found.columns;
  showColumns(found, isHead);
  showRows(found);
  show("columns");
  show("start-line");
  tell(found.is_reachable ? "The columns are recognised. Check them and start."
    : "No column means an e-mail address or a phone number. Choose one.");
}

function showColumns(found, isHead) {
  const parts = [`${state.file.name}: ${found.rows_count} rows${isHead ? " in its head" : ""}`, found.format];
  if (found.unreadable_rows_count) parts.push(`${found.unreadable_rows_count} can't be read`);
  if (found.is_correction) parts.push("a corrected list of rejected rows: the added columns are left out");
  at("columns-note").textContent = `${parts.join(", ")}.`;
  const focused = document.activeElement && document.activeElement.id;
  at("columns-rows").replaceChildren(...found.columns.map((column, index) => {
    const header = element("th", column.header);
    header.scope = "row";
    const cell = element("td");
    cell.append(meaning(column, index));
    const values = found.rows.map((each) => each.cells[index]).filter(Boolean).slice(0, 3);
    return row(header, cell, element("td", values.join(" · ")));
  }));
  if (focused && at(focused)) at(focused).focus();
}

function meaning(column, index) {
  const select = element("select");
  select.id = `column-${index}`;
  select.setAttribute("aria-label", `Meaning of ${column.header}`);
  const first = element("option", recognisedWords(state.recognised && state.recognised[index]));
  first.value = "";
  select.append(first, at("fields").content.cloneNode(true));
  select.value = state.mapping[column.header] || "";
  select.addEventListener("change", () => {
    if (select.value) state.mapping[column.header] = select.value;
    else delete state.mapping[column.header];
    attempt(preview);
  });
  return select;
}

function recognisedWords(column) {
  if (!column) return "as recognised";
  const word = column.column || (column.how === "ignored" ? "left out" : "kept beside the lead");
  return `as recognised: ${word}${column.looks_like ? ` (looks like ${column.looks_like})` : ""}`;
}

function showRows(found) {
  const names = found.fields.map((field) => field.name).filter((name) => found.rows.some((each) => name in each.lead));
  const heads = ["line", ...names].map((name) => {
    const head = element("th", name);
    head.scope = "col";
    return head;
  });
  at("rows-head").replaceChildren(row(...heads));
  at("rows-body").replaceChildren(...found.rows.map((each, index) => row(
    element("td", each.line_number || index + 1, "number"),
    ...(each.code ? [element("td", `can't be read: ${each.code}`)] : names.map((name) => element("td", each.lead[name]))),
  )));
}

// --- sending and watching ----------------------------------------------------------------------------------------

function send() {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest(); // unlike fetch it tells how much was sent
    request.open("POST", "/v1/uploads");
    request.setRequestHeader("Authorization", authorization().Authorization);
    request.responseType = "json";
    request.upload.addEventListener("progress", (event) => {
      if (event.lengthComputable) at("sent").value = event.loaded / event.total;
    });
    request.addEventListener("load", () => {
      if (request.status === 202) resolve(request.response);
      else reject(new Refused(request.response || {}, request.status));
    });
    request.addEventListener("error", () => reject(new Error("unreachable")));
    request.send(form(state.file, false));
  });
}

async function start() {
  at("start").disabled = true;
  clearProgress();
  at("sent").value = 0;
  show("progress");
  at("progress-name").textContent = state.file.name;
  at("progress-title").focus();
  tell("Sending the file…");
  try {
    const made = await send();
    at("sent").value = 1;
    show("columns", false);
    show("start-line", false);
    tell(made.is_repeat ? "This file was sent before. Here is what became of it." : "The file is kept. Working on it…");
    watch(made.batch_id);
  } catch (error) {
    show("progress", false);
    throw error;
  } finally {
    at("start").disabled = false;
  }
}

function clearProgress() {
  stopWatching();
  for (const id of ["funnel", "rejected", "cancel", "another"]) show(id, false);
  at("tables").replaceChildren();
  at("done").value = 0;
  at("state").textContent = "";
}

function stopWatching() {
  if (state.watching) state.watching.abort();
  state.watching = null;
}

async function watch(batch) {
  clearProgress();
  state.batch = batch;
  history.replaceState(null, "", `#${encodeURIComponent(batch)}`);
  show("progress");
  const watching = new AbortController();
  state.watching = watching;
  let lastId = "";
  while (state.watching === watching) {
    try {
      const headers = lastId ? { "Last-Event-ID": lastId } : {};
      const answer = await ask(`/v1/uploads/${encodeURIComponent(batch)}/events`, { headers, signal: watching.signal });
      if (answer.status === 204) return;
      for await (const event of events(answer.body)) {
        if (event.id) lastId = event.id;
        if (event.data && state.watching === watching) showProgress(JSON.parse(event.data));
        if (event.event === "end") return;
      }
    } catch (error) {
      if (watching.signal.aborted) return;
      if (error instanceof Refused && error.status < 500 && error.status !== 429) return complain(error);
    }
    await new Promise((resolve) => setTimeout(resolve, 2000));
  }
}

async function* events(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    text += value;
    let end;
    while ((end = text.indexOf("\n\n")) >= 0) {
      const event = {};
      for (const line of text.slice(0, end).split("\n")) {
        const colon = line.indexOf(": ");
        if (colon > 0) event[line.slice(0, colon)] = line.slice(colon + 2);
      }
      text = text.slice(end + 2);
      yield event;
    }
  }
}

function showProgress(found) {
  at("progress-name").textContent = `${found.file_name || ""} (${found.source})`;
  at("sent").value = 1;
  at("done").value = found.state === "done" ? 1 : found.progress.done_count / found.progress.total_count;
  at("state").textContent = found.state;
  show("cancel", found.state === "waiting");
  at("tables").replaceChildren(...found.progress.tables.map((each) => {
    const item = element("li", each.table.replaceAll("_", " "), each.is_written ? "written" : "");
    if (each.is_written) item.setAttribute("aria-label", `${item.textContent}, written`);
    return item;
  }));
  showFunnel(found.counts);
  if (found.is_ended) showEnd(found);
}

function showFunnel(counts) {
  const known = FUNNEL.filter((name) => name in counts);
  show("funnel", known.length > 0);
  at("funnel-rows").replaceChildren(...known.map((name) => {
    const head = element("th", name.replaceAll("_", " "));
    head.scope = "row";
    const bar = element("progress");
    bar.max = counts.received || 1;
    bar.value = counts[name];
    bar.setAttribute("aria-hidden", "true");
    const cell = element("td");
    cell.append(bar);
    const number = element("td", counts[name].toLocaleString("en"), "number");
    number.id = `count-${name}`;
    return row(head, number, cell);
  }));
}

function showEnd(found) {
  state.watched = found;
  const words = [ENDED_WORDS[found.state] || found.state];
  if (found.reason) words.push(found.reason.message, found.reason.how_to_fix);
  if (found.state === "done" && "received" in found.counts) {
    words.push(`${found.counts.received} rows: ${found.counts.routed} routed, ${found.counts.rejected} rejected, ` +
      `${found.counts.duplicates} known already, ${found.counts.in_review} in review.`);
  }
  tell(words.join(" "));
  show("rejected", found.rejections.length > 0);
  at("rejected-rows").replaceChildren(...found.rejections.map((each) => row(
    element("td", each.rows_count, "number"), element("td", each.message), element("td", each.how_to_fix))));
  show("another");
  if (found.state === "quarantined" && state.file) { // its columns may be corrected and the same file sent again
    show("start-line");
    if (state.recognised) show("columns");
  }
}

async function download() {
  const batch = state.batch;
  const answer = await ask(`/v1/uploads/${encodeURIComponent(batch)}/errors.csv`);
  const link = element("a");
  link.href = URL.createObjectURL(await answer.blob());
  link.download = `errors-${batch}.csv`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
  tell("The rejected rows are downloaded. Correct them and send the file.");
}

function startAnew(mapping) {
  state.carried = mapping;
  history.replaceState(null, "", location.pathname);
  at("file").value = "";
  show("progress", false);
  stopWatching();
  at("file").focus();
  tell("Choose a file.");
}

// --- the page's own events ---------------------------------------------------------------------------------------

at("sign-in-form").addEventListener("submit", (event) => {
  event.preventDefault();
  sessionStorage.setItem(STORED_KEY, at("key").value.trim());
  attempt(async () => {
    await signIn();
    at("key").value = "";
    at("file").focus();
  });
});
at("sign-out").addEventListener("click", () => { calm(); signOut(); });
at("file").addEventListener("change", () => {
  const [file] = at("file").files;
  if (file) attempt(() => choose(file));
});
at("source").addEventListener("change", () => {
  if (state.file && !at("columns").hidden) attempt(preview);
});
for (const name of ["dragenter", "dragover", "dragleave", "drop"]) {
  at("drop").addEventListener(name, (event) => {
    event.preventDefault();
    at("drop").classList.toggle("over", name === "dragenter" || name === "dragover");
    if (name === "drop" && event.dataTransfer.files.length) attempt(() => choose(event.dataTransfer.files[0]));
  });
}
at("start").addEventListener("click", () => attempt(start));
at("cancel").addEventListener("click", () => attempt(async () => {
  await ask(`/v1/uploads/${encodeURIComponent(state.batch)}`, { method: "DELETE" });
}));
at("download").addEventListener("click", () => attempt(download));
at("again").addEventListener("click", () => startAnew(state.watched ? state.watched.mapping : {}));
at("another").addEventListener("click", () => startAnew({}));

if (sessionStorage.getItem(STORED_KEY)) attempt(signIn);
else at("key").focus();
