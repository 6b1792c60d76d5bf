// One scan at #/jobs/ID: its progress by stage while it runs, then its verdict or why it failed.

import { ApiError, deleteJob, getEvidence, getJob, titleOf } from "./api.js";
import { announce, confirmed, el, focusOn, mark, nameOf, put } from "./dom.js";
import { watchJob } from "./live.js";
import { verdictView } from "./verdict.js";
import { headline, sentence, sizeText, visible } from "./words.js";

const STAGES = [
  ["queued", "Waiting", "for its turn"],
  ["reading", "Reading", "the file, its pictures and sound"],
  ["examining", "Examining", "faces and voice"],
  ["reporting", "Writing", "the verdict and the report"],
];
const NAMES = Object.fromEntries(STAGES.map(([stage, name]) => [stage, name]));

/** Shows a job in `main`; `go` opens another address, `onRefused` handles a missing token. */
export function jobPage(main, id, { go, onRefused, setTitle }) {
  let stopWatching = () => {};
  let stopPlaying = () => {};
  let closed = false;
  let running = null;

  const remove = async (job) => {
    const busy = job.state === "queued" || job.state === "running";
    const sure = await confirmed({
      title: busy ? "Stop this scan?" : "Delete this scan?",
      text: `The service removes “${visible(job.name)}”, its verdict and its report. This cannot be undone.`,
      yes: busy ? "Stop and delete" : "Delete",
      no: busy ? "Go on" : "Keep it",
    });
    if (!sure || closed) return;
    stopWatching();
    try {
      await deleteJob(job.id);
      announce("Deleted.");
      go("#/history");
    } catch (error) {
      refused(error);
    }
  };
  const refused = (error) => {
    if (closed) return;
    if (error.status === 401) onRefused();
    else if (error.status === 404) gone();
    else if (running) running.trouble(error);
    else put(main, problem(titleOf(error.status), error.message));
  };
  const gone = () => {
    const text = "It was deleted, or the time for which scans are kept is over.";
    put(main, problem("There is no such scan", text));
    setTitle("No such scan");
    announce("There is no such scan.");
  };
  const onJob = async (job) => {
    if (closed) return;
    if (job.state === "failed") {
      put(main, failedView(job, () => remove(job)));
      setTitle(`Could not be examined: ${visible(job.name)}`);
      announce("The scan failed.");
      focusOn(main.querySelector("h1"));
    } else if (job.state === "done") {
      await finish(job);
    } else {
      if (!running) {
        running = runningView(job, () => remove(job));
        put(main, running.element);
        focusOn(main.querySelector("h1"));
      }
      running.update(job);
      setTitle(`${NAMES[job.progress.stage] ?? "Working"}: ${visible(job.name)}`);
    }
  };
  const finish = async (job) => {
    const evidence = await getEvidence(job.id).catch((error) => {
      if (!(error instanceof ApiError)) throw error;
      return null; // deleted or not kept: the verdict stands without pictures
    });
    if (closed) return;
    const view = verdictView({ job, evidence, onDelete: () => remove(job) });
    stopPlaying = view.stop;
    const head = headline(job.verdict);
    put(main, view.element);
    setTitle(`${head.title}: ${visible(job.name)}`);
    announce(`Finished. ${head.title}. ${head.sentence}`);
    focusOn(main.querySelector("h1"));
  };

  put(main, el("p", { class: "quiet loading" }, "Loading…"));
  getJob(id)
    .then((job) => {
      if (closed) return;
      onJob(job);
      if (job.state === "queued" || job.state === "running") {
        stopWatching = watchJob(id, { onJob, onGone: gone, onError: refused });
      }
    })
    .catch(refused);
  return () => {
    closed = true;
    stopWatching();
    stopPlaying();
  };
}

function runningView(job, onDelete) {
  const bar = el("progress", { max: 100, "aria-label": "Share done" });
  const line = el("p", { class: "progress-line" });
  const trouble = el("p", { class: "trouble", role: "alert" });
  const rows = STAGES.map(([stage, name, what]) => ({
    stage,
    node: el(
      "li",
      {},
      el("span", { class: "stage-sign", "aria-hidden": "true" }),
      el("span", {}, el("strong", {}, name), ` ${what}`),
      el("span", { class: "unseen stage-state" }),
    ),
  }));
  const element = el(
    "article",
    { class: "card running" },
    el("p", { class: "path quiet" }, nameOf(visible(job.name)), ` · ${sizeText(job.size_bytes)}`),
    el("h1", {}, "Examining the file"),
    bar,
    line,
    el("ol", { class: "stages" }, rows.map(({ node }) => node)),
    trouble,
    el("p", { class: "quiet" }, "You may close this page: the scan goes on, and stays under “Past scans”."),
    el(
      "div",
      { class: "row actions" },
      el("button", { type: "button", class: "danger", onclick: onDelete }, "Stop and delete"),
    ),
  );
  let told = "";
  const update = ({ progress, attempts }) => {
    const here = STAGES.findIndex(([stage]) => stage === progress.stage);
    const share = Math.round(100 * progress.share);
    if (progress.stage === "queued") bar.removeAttribute("value");
    else bar.value = share;
    const position = progress.queue_position;
    const turn = position > 1 ? `${position - 1} before this one` : "it is next";
    const again = attempts > 1 ? " Second attempt, after the first was cut short." : "";
    line.textContent =
      (here <= 0 ? `Waiting: ${turn}.` : `${NAMES[progress.stage]}, ${share}\u00a0% done.`) + again;
    trouble.textContent = "";
    rows.forEach(({ node }, place) => {
      const state = place < here ? "past" : place === here ? "now" : "to come";
      node.className = state.replace(" ", "-");
      if (state === "now") node.setAttribute("aria-current", "step");
      else node.removeAttribute("aria-current");
      const words = { past: "done", now: "in progress", "to come": "not begun" };
      node.querySelector(".stage-state").textContent = `, ${words[state]}`;
    });
    const news = `${NAMES[progress.stage] ?? ""} ${here > 0 ? `${25 * Math.floor(share / 25)} %` : ""}`;
    if (news !== told) announce(news);
    told = news;
  };
  const show = (error) => {
    trouble.textContent = `${titleOf(error.status)}. ${error.message}`;
  };
  return { element, update, trouble: show };
}

function failedView(job, onDelete) {
  return el(
    "article",
    { class: "card" },
    el("p", { class: "path quiet" }, nameOf(visible(job.name)), ` · ${sizeText(job.size_bytes)}`),
    el(
      "div",
      { class: "verdict unread" },
      mark("unread"),
      el(
        "div",
        {},
        el("h1", { class: "finding" }, "Could not be examined"),
        el("p", {}, sentence(job.reason || "no reason was recorded")),
        el(
          "p",
          { class: "quiet" },
          "There is no verdict: this says nothing about whether the file is genuine.",
          job.attempts > 1 ? ` It was tried ${job.attempts} times.` : "",
        ),
      ),
    ),
    el("h2", {}, "What to try"),
    el(
      "ul",
      {},
      el("li", {}, "Does the file play elsewhere? A copy that ends early can be fetched again."),
      el("li", {}, "Ask for the original from the camera or phone."),
      el("li", {}, "Save it anew as MP4 (H.264); the traces of a forgery fade a little by that."),
    ),
    el(
      "div",
      { class: "row actions" },
      el("a", { class: "button", href: "#/" }, "Scan another file"),
      el("button", { type: "button", class: "danger", onclick: onDelete }, "Delete"),
    ),
  );
}

/** A card that says what is wrong, with a way on. */
export function problem(title, text) {
  return el(
    "article",
    { class: "card" },
    el(
      "div",
      { class: "verdict unsure" },
      mark("unsure"),
      el("div", {}, el("h1", { class: "finding" }, title), el("p", {}, text)),
    ),
    el(
      "div",
      { class: "row actions" },
      el("a", { class: "button", href: "#/" }, "Scan a file"),
      el("a", { class: "button", href: "#/history" }, "Past scans"),
    ),
  );
}
