// Genuine footage of the people in question: sent once, then every upload is judged against it.

import { getLimits, send, titleOf } from "./api.js";
import { el, put } from "./dom.js";
import { sizeText, visible } from "./words.js";

const MOST = 8; // as many as the service takes

/** Footage of this visit: {file, state, job, message, done}. */
const chosen = [];
const listeners = new Set();

function changed() {
  for (const callback of listeners) callback();
}

/** Resolves to the ids to judge against, once all chosen footage has arrived or was refused. */
export async function referenceIds() {
  await Promise.all(chosen.map(({ done }) => done));
  return chosen.filter(({ state }) => state === "ready").map(({ job }) => job.id);
}

function addReferences(files) {
  for (const file of [...files].slice(0, MOST - chosen.length)) {
    const one = { file, state: "sending", job: null, message: null };
    one.done = arrive(one);
    chosen.push(one);
  }
  changed();
}

async function arrive(one) {
  try {
    const { done } = send(one.file, () => {});
    one.job = await done;
    one.state = "ready";
  } catch (error) {
    Object.assign(one, { state: "refused", message: `${titleOf(error.status)}. ${error.message}` });
  }
  changed();
}

function remove(one) {
  chosen.splice(chosen.indexOf(one), 1);
  changed();
}

/** The part of the first view in which footage is chosen; gives {node, close}. */
export function referencePart() {
  const list = el("ul", { class: "references", "aria-live": "polite" });
  const input = el("input", {
    type: "file",
    id: "reference-files",
    multiple: true,
    accept: "video/*,image/*",
    "aria-describedby": "reference-hint",
    onchange: () => {
      addReferences(input.files);
      input.value = "";
    },
  });
  const node = el(
    "section",
    { class: "known", hidden: true },
    el("label", { for: "reference-files", class: "button small-button" }, "Add genuine footage"),
    input,
    el(
      "p",
      { id: "reference-hint", class: "quiet" },
      "Optional: a genuine video of the same person. Whoever is also seen in it is judged against it.",
    ),
    list,
  );
  const draw = () => put(list, chosen.map(row));
  listeners.add(draw);
  draw();
  // A service that deletes every upload at once has none to judge against.
  getLimits().then(
    (limits) => {
      node.hidden = limits.keep_seconds === 0;
    },
    () => {},
  );
  return { node, close: () => listeners.delete(draw) };
}

const STATES = { sending: "is being sent", ready: "is here: what you send is judged against it" };

function row(one) {
  const shown = visible(one.file.name);
  return el(
    "li",
    { class: one.state === "refused" ? "trouble" : "" },
    el("span", {}, `${shown} (${sizeText(one.file.size)}) `, one.message ?? STATES[one.state]),
    el(
      "button",
      { type: "button", class: "small-button", "aria-label": `Remove: ${shown}`, onclick: () => remove(one) },
      "Remove",
    ),
  );
}
