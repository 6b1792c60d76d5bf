// A finished scan: the finding, the file with boxes, time, senses, faces, facts.

import { jobUrl } from "./api.js";
import { el, mark, moment, nameOf, svg } from "./dom.js";
import { facesSection } from "./faces.js";
import { factsCard, missingCard, referenceCard, sensesCard } from "./facts.js";
import { hasTime } from "./lanes.js";
import { createPlayer } from "./player.js";
import { createTimeline } from "./timeline.js";
import {
  SENSE_NAMES,
  headline,
  interval,
  level,
  likelihood,
  percent,
  personName,
  sentence,
  visible,
} from "./words.js";

/** Fills in a finished job; gives {element, stop()}. `onDelete` is called by its button. */
export function verdictView({ job, evidence, onDelete }) {
  const { verdict } = job;
  const head = headline(verdict);
  const parts = [findingCard(job, head, onDelete)];
  let player = null;
  if (!verdict.error) {
    const timed = hasTime(verdict);
    let timeline = null;
    player = createPlayer({ job, evidence, onTime: (seconds) => timeline?.setTime(seconds) });
    const goTo = (seconds) => player.seek(seconds);
    const showMoment = (seconds) => {
      goTo(seconds);
      player.element.scrollIntoView({ block: "nearest", behavior: motion() });
    };
    if (timed) timeline = createTimeline({ verdict, evidence, onSeek: goTo });
    timeline?.setTime(0);
    parts.push(
      lookCard({ verdict, player, timeline, goTo: showMoment }),
      el("div", { class: "pair-cards" }, sensesCard(verdict), missingCard(verdict, evidence)),
      facesSection({ verdict, evidence, onSeek: timed ? showMoment : null }),
    );
  }
  const reference = referenceCard(verdict);
  if (reference) parts.push(reference);
  parts.push(factsCard(job));
  return { element: el("div", { class: "verdict-view" }, parts), stop: () => player?.stop() };
}

function motion() {
  return matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth";
}

function findingCard(job, head, onDelete) {
  const { verdict } = job;
  const chance = verdict.error ? null : verdict.fake_probability;
  const given = head.figure !== null;
  return el(
    "article",
    { class: "card" },
    el("p", { class: "path quiet" }, nameOf(visible(job.name)), " · ", moment(job.created)),
    el(
      "div",
      { class: `verdict ${head.tone}` },
      mark(head.tone),
      el(
        "div",
        {},
        el("h1", { class: "finding" }, head.title),
        el("p", {}, head.sentence),
        head.tone === "unread" ? null : scale(given ? chance : null),
        el(
          "p",
          { class: "quiet" },
          given
            ? `The probability of manipulation is ${head.figure} (${head.word}). It is not a proof: see `
            : "No probability is given, because any figure would be made up. This is neither “genuine” nor “manipulated”: see ",
          el("a", { href: "#/about" }, "how to read this"),
          ".",
        ),
      ),
    ),
    warnings(verdict),
    actions(job, onDelete),
  );
}

const ZONES = [
  [0, 0.33, "unlikely"],
  [0.33, 0.66, "as likely as not"],
  [0.66, 0.9, "likely"],
  [0.9, 1, "very likely"],
];

/** The probability on a scale with the words' bounds, or a hatched scale without a figure. */
function scale(probability) {
  const given = probability !== null;
  const told = given
    ? `On a scale from 0 to 100 %: ${percent(probability)}, ${likelihood(probability)}`
    : "The scale from 0 to 100 % stays empty: no probability is given";
  const here = ZONES.findLast(([low]) => given && probability >= low);
  const zones = ZONES.map(([low, high]) => {
    const place = { x: `${100 * low}%`, width: `${100 * (high - low)}%`, y: 4, height: 8 };
    return svg("rect", given ? { ...place, class: "scale-zone" } : { ...place, fill: "url(#hatch)" });
  });
  const bounds = [0.33, 0.66, 0.9].map((bound) =>
    svg("rect", { x: `${100 * bound}%`, width: 3, y: 4, height: 8, class: "scale-gap" }),
  );
  const marker = { cx: `${given ? 100 * probability : 0}%`, cy: 8, r: 8 };
  return el(
    "div",
    { class: "scale", role: "img", "aria-label": told },
    svg(
      "svg",
      { width: "100%", height: 18, "aria-hidden": "true" },
      zones,
      bounds,
      given ? svg("circle", { ...marker, class: `scale-marker p${level(probability)}` }) : null,
    ),
    el(
      "div",
      { class: "scale-words", "aria-hidden": "true" },
      ZONES.map((zone) => el("span", { class: zone === here ? "here" : "" }, zone[2])),
    ),
  );
}

function warnings(verdict) {
  if (!verdict.warnings.length) return null;
  return el(
    "div",
    { class: "warnings", role: "note", "aria-label": "Warnings" },
    el("h2", {}, "Warnings"),
    el("ul", {}, verdict.warnings.map((text) => el("li", {}, sentence(text)))),
  );
}

function actions(job, onDelete) {
  const report = jobUrl(job.id, "/report");
  return el(
    "div",
    { class: "row actions" },
    job.has_report
      ? [
          el("a", { class: "button", href: `${report}?download=1`, download: "" }, "Download report"),
          el("a", { class: "button", href: report, target: "_blank", rel: "noopener" }, "Open report"),
        ]
      : null,
    el("a", { class: "button", href: jobUrl(job.id, "/verdict?download=1"), download: "" }, "Download JSON"),
    el("button", { type: "button", class: "danger", onclick: onDelete }, "Delete"),
  );
}

function lookCard({ verdict, player, timeline, goTo }) {
  return el(
    "section",
    { class: "card look", "aria-labelledby": "look-title" },
    el("h2", { id: "look-title" }, whatToDo(verdict.media)),
    el(
      "div",
      { class: "look-grid" },
      player.element,
      timeline ? segmentList(verdict, goTo) : null,
    ),
    timeline?.element,
  );
}

function whatToDo({ video, audio }) {
  if (video && audio) return "Look and listen";
  return video ? "Look" : "Listen";
}

function segmentList(verdict, goTo) {
  const found = [...verdict.segments].sort((a, b) => a.start_seconds - b.start_seconds);
  const none =
    verdict.label === "inconclusive"
      ? "No segments, for there is no verdict."
      : "No stretch of time reached the threshold.";
  return el(
    "section",
    { class: "segment-list", "aria-labelledby": "segments-title" },
    el("h3", { id: "segments-title" }, found.length ? `Where to ${whatToDo(verdict.media).toLowerCase()}` : "Segments"),
    found.length
      ? el(
          "ol",
          { tabindex: found.length > 6 ? "0" : false },
          found.map((one) => el("li", {}, segmentRow(one, goTo))),
        )
      : el("p", { class: "quiet" }, none),
  );
}

function segmentRow(segment, goTo) {
  const who = segment.track === null ? "" : `, ${personName(segment.track).toLowerCase()}`;
  return el(
    "button",
    { type: "button", class: "segment-row", onclick: () => goTo(segment.start_seconds) },
    el("strong", {}, interval(segment.start_seconds, segment.stop_seconds)),
    el("span", {}, `${SENSE_NAMES[segment.modality]}${who}`),
    el("span", { class: "figure" }, percent(segment.fake_probability)),
  );
}
