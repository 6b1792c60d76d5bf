// The first view: a place to drop files, what is on its way, and the latest scans.

import { getLimits, listJobs } from "./api.js";
import { announce, el, mark, nameOf, put, svg } from "./dom.js";
import { jobRow } from "./history.js";
import { referencePart } from "./references.js";
import { addFiles, cancel, forget, onUploads, retry, uploads } from "./uploads.js";
import { headline, roughly, secondsText, sizeText, visible } from "./words.js";

const LATEST = 5;
const STAGES = { queued: "Waiting", reading: "Reading", examining: "Examining", reporting: "Writing" };

export function startPage(main, { go, onRefused, setTitle }) {
  setTitle(null);
  let closed = false;
  let alone = null; // a single file: its own view opens as soon as it is accepted
  const facts = el("p", { class: "quiet limits" });
  const sending = el("section", { class: "card sending", "aria-labelledby": "sending-title" });
  const latest = el("section", { class: "latest", "aria-labelledby": "latest-title", hidden: true });
  const take = async (files) => {
    if (!files.length) return;
    const made = await addFiles(files);
    alone = made.length === 1 ? made[0] : null;
    draw();
    announce(made.length === 1 ? `Sending ${made[0].file.name}` : `Sending ${made.length} files`);
  };
  const input = el("input", {
    type: "file",
    id: "files",
    multiple: true,
    accept: "video/*,audio/*,image/*",
    "aria-describedby": "drop-hint",
    onchange: () => {
      take([...input.files]);
      input.value = "";
    },
  });
  const drop = el(
    "div",
    { class: "drop" },
    dropPicture(),
    el("label", { for: "files", class: "button main-button" }, "Choose files"),
    input,
    el("p", { id: "drop-hint" }, "or drop videos, pictures and sounds anywhere on this page"),
    facts,
  );
  const known = referencePart();
  const stopDrops = acceptDrops(drop, take);
  const nodes = new Map();
  const draw = () => {
    if (closed) return;
    sending.hidden = uploads.length === 0;
    if (alone?.state === "accepted") {
      const upload = alone;
      alone = null;
      forget(upload);
      go(`#/jobs/${upload.job.id}`);
      return;
    }
    const shut = uploads.filter((one) => one.refused === 401);
    if (shut.length) {
      for (const one of shut) one.refused = 0; // asked once; after that "Try again" stands there
      onRefused();
      return;
    }
    drawUploads(sending, nodes);
  };
  const stopUploads = onUploads(draw);

  put(
    main,
    el(
      "section",
      { class: "intro" },
      el("h1", {}, "Are the faces and the voice genuine?"),
      el(
        "p",
        { class: "lead" },
        "Seamline looks at faces and listens to voices, and tells who, when, where in the face, by which sense and how sure it is. What it could not examine, it names; without evidence it gives no figure.",
      ),
      drop,
      known.node,
    ),
    sending,
    latest,
  );
  draw();
  showLimits(facts);
  showLatest(latest, () => closed, onRefused);
  return () => {
    closed = true;
    stopUploads();
    stopDrops();
    known.close();
  };
}

/** A face in a frame, one half of it pasted on. */
function dropPicture() {
  return svg(
    "svg",
    { class: "drop-sign", width: 88, height: 64, viewBox: "0 0 88 64", "aria-hidden": "true" },
    svg("rect", { class: "frame", x: 1, y: 1, width: 86, height: 62, rx: 8 }),
    svg("path", { class: "half", d: "M44 12c-11 0-16 8-16 18s7 22 16 22z" }),
    svg("path", { class: "face", d: "M44 12c-11 0-16 8-16 18s7 22 16 22" }),
    svg("path", { class: "face dashed", d: "M44 12c11 0 16 8 16 18s-7 22-16 22" }),
    svg("path", { class: "seam", d: "M44 6v52" }),
  );
}

/** Takes files dropped anywhere, and shows where they would go. */
function acceptDrops(zone, take) {
  const has = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");
  const over = (event) => {
    if (!has(event)) return;
    event.preventDefault();
    zone.classList.add("over");
  };
  const leave = (event) => {
    if (!event.relatedTarget) zone.classList.remove("over");
  };
  const drop = (event) => {
    if (!has(event)) return;
    event.preventDefault();
    zone.classList.remove("over");
    take([...event.dataTransfer.files]);
  };
  const handlers = { dragover: over, dragleave: leave, drop };
  for (const [name, handler] of Object.entries(handlers)) addEventListener(name, handler);
  return () => {
    for (const [name, handler] of Object.entries(handlers)) removeEventListener(name, handler);
  };
}

async function showLimits(node) {
  const limits = await getLimits().catch(() => null);
  if (!limits) return;
  const parts = [
    limits.upload_bytes && `up to ${sizeText(limits.upload_bytes)}`,
    limits.duration_seconds && `up to ${secondsText(limits.duration_seconds)} long`,
  ].filter(Boolean);
  const kept =
    limits.keep_seconds === null
      ? "kept until you delete it"
      : limits.keep_seconds === 0
        ? "deleted as soon as it was examined"
        : `kept for ${roughly(limits.keep_seconds)}, then deleted`;
  node.textContent = `A file: ${[...parts, kept].join(" · ")}`;
}

async function showLatest(section, isClosed, onRefused) {
  let found;
  try {
    found = await listJobs({ limit: LATEST });
  } catch (error) {
    if (error.status === 401 && !isClosed()) onRefused();
    return;
  }
  if (isClosed() || !found.jobs.length) return;
  put(
    section,
    el(
      "div",
      { class: "row spread" },
      el("h2", { id: "latest-title" }, "Latest scans"),
      el("a", { href: "#/history" }, "All past scans"),
    ),
    el("ul", { class: "jobs" }, found.jobs.map((job) => jobRow(job))),
  );
  section.hidden = false;
}

function drawUploads(section, nodes) {
  if (!section.firstChild) {
    put(section, el("h2", { id: "sending-title" }, "On their way"), el("ul", { class: "uploads" }));
  }
  const list = section.querySelector("ul");
  for (const [upload, row] of nodes) {
    if (!uploads.includes(upload)) {
      row.node.remove();
      nodes.delete(upload);
    }
  }
  for (const upload of uploads) {
    if (!nodes.has(upload)) {
      const row = uploadRow(upload);
      nodes.set(upload, row);
      list.append(row.node);
    }
    nodes.get(upload).update();
  }
}

function uploadRow(upload) {
  const { name, size } = upload.file;
  const shown = visible(name);
  const label = el("span", { class: "path" }, nameOf(shown), el("span", { class: "quiet" }, ` ${sizeText(size)}`));
  const bar = el("progress", { max: 100, "aria-label": `Progress of ${shown}` });
  const text = el("p", { class: "upload-text" });
  const tools = el("div", { class: "row" });
  const node = el("li", {}, label, tools, bar, text);
  let drawn = "";
  const update = () => {
    const { state, job } = upload;
    const [share, told] = progressOf(upload);
    bar.hidden = share === null;
    if (share !== null) bar.value = Math.round(100 * share);
    put(text, told);
    text.classList.toggle("trouble", state === "refused" || state === "held");
    const key = `${state} ${job?.state}`;
    if (key === drawn) return; // a redrawn button would lose the focus
    drawn = key;
    put(tools, uploadTools(upload, shown));
    if (state === "refused") announce(`${shown}: ${upload.title}. ${upload.message}`);
  };
  return { node, update };
}

function uploadTools(upload, shown) {
  const button = (text, onclick) =>
    el("button", { type: "button", class: "small-button", "aria-label": `${text}: ${shown}`, onclick }, text);
  if (["waiting", "sending", "held"].includes(upload.state)) {
    return [button("Cancel", () => cancel(upload))];
  }
  if (upload.state === "accepted") {
    const text = upload.job.state === "done" ? "See the verdict" : "Open";
    return [
      el("a", { class: "button small-button", href: `#/jobs/${upload.job.id}`, "aria-label": `${text}: ${shown}` }, text),
    ];
  }
  // The same file is refused again for its size or content, but not for a busy service.
  const hopeless = [400, 413, 415].includes(upload.refused);
  return [
    hopeless ? null : button("Try again", () => retry(upload)),
    button("Remove", () => forget(upload)),
  ];
}

/** [share for the bar or null, what is told]. */
function progressOf({ state, share, job, title, message }) {
  if (state === "waiting") return [0, "Waiting to be sent"];
  if (state === "sending") {
    const text = share < 1 ? `Sending, ${Math.round(100 * share)}\u00a0%` : "Sent; the service checks it";
    return [share, text];
  }
  if (state === "cancelled") return [null, "Cancelled"];
  if (state !== "accepted") return [null, [el("strong", {}, `${title}. `), message]];
  if (job.state === "done") {
    const head = headline(job.verdict);
    return [null, [mark(head.tone), ` ${head.title}`]];
  }
  if (job.state === "failed") return [null, [mark("unread"), ` Could not be examined: ${job.reason}`]];
  const stage = STAGES[job.progress.stage] ?? "Working";
  if (job.state === "queued") return [0, `${stage} for its turn`];
  return [job.progress.share, `${stage}, ${Math.round(100 * job.progress.share)}\u00a0%`];
}
