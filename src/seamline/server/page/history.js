// Past scans, newest first, page by page; rows that still run are asked after.

import { deleteJob, listJobs, titleOf } from "./api.js";
import { announce, confirmed, el, focusOn, mark, moment, nameOf, put } from "./dom.js";
import { problem } from "./job.js";
import { headline, sizeText, visible } from "./words.js";

const A_PAGE = 20;
const POLL_MS = 2500;

/** Shows one page; `after` is the cursor that the address carries, null for the newest scans. */
export function historyPage(main, { after, onRefused, setTitle }) {
  setTitle("Past scans");
  let closed = false;
  let timer = null;
  const list = el("ul", { class: "jobs", "aria-labelledby": "history-title" });
  const pages = el("nav", { class: "row spread pages", "aria-label": "Pages of past scans" });
  const heading = el("h1", { id: "history-title" }, "Past scans");
  const trouble = el("p", { class: "trouble", role: "alert" });

  const load = async () => {
    let found;
    try {
      found = await listJobs({ limit: A_PAGE, after });
    } catch (error) {
      if (closed) return;
      if (error.status === 401) onRefused();
      else put(main, problem(titleOf(error.status), error.message));
      return;
    }
    if (closed) return;
    draw(found);
    const busy = found.jobs.some(({ state }) => state === "queued" || state === "running");
    if (busy) timer = setTimeout(load, POLL_MS);
  };
  const draw = ({ jobs, next }) => {
    const focused = document.activeElement?.dataset?.key;
    put(list, jobs.map((job) => jobRow(job, () => remove(job))));
    if (focused) list.querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus();
    put(
      pages,
      after ? el("a", { class: "button", href: "#/history" }, "← Newest") : el("span"),
      next
        ? el("a", { class: "button", href: `#/history?after=${encodeURIComponent(next)}` }, "Older →")
        : el("span"),
    );
    pages.hidden = !after && !next;
    if (!jobs.length) put(list, el("li", { class: "empty" }, emptyText(after)));
  };
  const remove = async (job) => {
    const sure = await confirmed({
      title: "Delete this scan?",
      text: `The service removes “${visible(job.name)}”, its verdict and its report. This cannot be undone.`,
      yes: "Delete",
      no: "Keep it",
    });
    if (!sure || closed) return;
    clearTimeout(timer);
    try {
      await deleteJob(job.id);
      announce(`Deleted ${visible(job.name)}.`);
      trouble.textContent = "";
      await load();
      focusOn(heading);
    } catch (error) {
      trouble.textContent = `${titleOf(error.status)}. ${error.message}`;
    }
  };

  put(main, heading, trouble, list, pages);
  load();
  return () => {
    closed = true;
    clearTimeout(timer);
  };
}

function emptyText(after) {
  if (after) return "No older scans.";
  return ["Nothing was scanned yet. ", el("a", { href: "#/" }, "Scan a file"), "."];
}

/** One scan as a row with its finding; with a button to delete it where `onDelete` is given. */
export function jobRow(job, onDelete = null) {
  const name = visible(job.name);
  const { tone, title, detail } = finding(job);
  return el(
    "li",
    { class: "job" },
    mark(tone),
    el(
      "div",
      { class: "job-text" },
      el("a", { href: `#/jobs/${job.id}`, "data-key": `open ${job.id}`, class: "path" }, nameOf(name)),
      el("p", {}, title, detail ? el("span", { class: "quiet" }, ` ${detail}`) : null),
    ),
    el("p", { class: "quiet job-when" }, moment(job.created), el("span", {}, sizeText(job.size_bytes))),
    onDelete
      ? el(
          "button",
          {
            type: "button",
            class: "small-button discreet",
            "data-key": `delete ${job.id}`,
            "aria-label": `Delete ${name}`,
            onclick: onDelete,
          },
          "Delete",
        )
      : null,
  );
}

function finding(job) {
  if (job.state === "failed") {
    return { tone: "unread", title: "Could not be examined.", detail: job.reason ?? "" };
  }
  if (job.state !== "done") {
    const share = `${Math.round(100 * job.progress.share)}\u00a0%`;
    const waiting = job.state === "queued";
    return { tone: "busy", title: waiting ? "Waiting" : "Being examined", detail: waiting ? "" : share };
  }
  const head = headline(job.verdict);
  const detail = head.figure && head.tone !== "fake" ? `manipulated: ${head.figure}, ${head.word}` : "";
  return { tone: head.tone, title: head.title, detail };
}
