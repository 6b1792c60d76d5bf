// How to read a verdict, what the words mean, and which model judges.

import { getModels } from "./api.js";
import { el, put } from "./dom.js";
import { likelihoodScale } from "./words.js";

export function aboutPage(main, { onRefused, setTitle }) {
  setTitle("How to read a verdict");
  let closed = false;
  const guide = document.getElementById("how-to-read").content.cloneNode(true);
  const rows = likelihoodScale().map(([range, word]) => {
    return el("tr", {}, el("td", {}, range), el("td", {}, word));
  });
  guide.querySelector("#likelihoods tbody").append(...rows);
  for (const title of guide.querySelectorAll("h3")) {
    title.replaceWith(el("h2", {}, ...title.childNodes));
  }
  const models = el("div", {});
  put(main, el("article", { class: "card" }, el("h1", {}, "How to read a verdict"), guide), models);
  getModels()
    .then((found) => {
      if (!closed) put(models, found.map(modelCard));
    })
    .catch((error) => {
      if (error.status === 401 && !closed) onRefused();
    });
  return () => {
    closed = true;
  };
}

function modelCard(model, place) {
  const id = `model-${place}`;
  return el(
    "section",
    { class: "card", "aria-labelledby": id },
    el("h2", { id }, `The model: ${model.name}, version ${model.version}`),
    model.line ? el("p", {}, model.line) : null,
    el("div", { class: "columns" }, figures(model.figures), limits(model.limits)),
    model.card
      ? el("details", {}, el("summary", {}, "The whole card"), el("pre", { class: "card-text" }, model.card))
      : null,
    el("p", { class: "quiet" }, "SHA-256 of the model ", el("code", {}, model.sha256)),
  );
}

function figures(found) {
  const rows = Array.isArray(found) ? found : Object.entries(found ?? {});
  if (!rows.length) return null;
  return el(
    "section",
    {},
    el("h3", {}, "Measured"),
    el(
      "table",
      { class: "small" },
      el("thead", {}, el("tr", {}, el("th", { scope: "col" }, "What"), el("th", { scope: "col" }, "Figure"))),
      el(
        "tbody",
        {},
        rows.map(([name, value]) =>
          el("tr", {}, el("th", { scope: "row" }, name), el("td", {}, String(value))),
        ),
      ),
    ),
  );
}

function limits(found) {
  const lines = found ?? [];
  if (!lines.length) return null;
  return el(
    "section",
    {},
    el("h3", {}, "Known limits"),
    el("ul", {}, lines.map((line) => el("li", {}, line))),
  );
}
