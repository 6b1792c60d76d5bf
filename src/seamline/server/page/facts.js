// The plain parts of a verdict: what each sense says, what was not examined, the file's facts.

import { el, moment, nameOf, svg } from "./dom.js";
import { fewer, gaps, hasTime } from "./lanes.js";
import { lanesOf } from "./timeline.js";
import {
  SENSES,
  SENSE_NAMES,
  interval,
  level,
  likelihood,
  percent,
  personName,
  reasons,
  roughly,
  secondsText,
  sentence,
  sizeText,
  visible,
} from "./words.js";

/** What each sense says, as a table. */
export function sensesCard(verdict) {
  return el(
    "section",
    { class: "card", "aria-labelledby": "senses-title" },
    el("h2", { id: "senses-title" }, "What each sense says"),
    el(
      "table",
      { class: "senses" },
      el(
        "thead",
        {},
        el("tr", {}, ["Sense", "Manipulated", "Examined"].map((name) => el("th", { scope: "col" }, name))),
      ),
      el("tbody", {}, SENSES.map((sense) => senseRow(verdict, sense))),
    ),
  );
}

function senseRow(verdict, sense) {
  const score = verdict[sense];
  const chance = score.fake_probability;
  const name = el("th", { scope: "row" }, SENSE_NAMES[sense]);
  if (chance === null) {
    return el("tr", {}, name, el("td", {}, "not examined"), el("td", {}, score.reason));
  }
  const gauge = svg(
    "svg",
    { class: "gauge", width: "100%", height: 8, "aria-hidden": "true" },
    svg("rect", { width: "100%", height: 8, class: "cell" }),
    svg("rect", { width: `${100 * chance}%`, height: 8, class: `p${level(chance)}` }),
  );
  const figure = el("td", {}, gauge, el("strong", {}, percent(chance)), ` ${likelihood(chance)}`);
  return el("tr", {}, name, figure, el("td", {}, examined(verdict, sense)));
}

function examined(verdict, sense) {
  const score = verdict[sense];
  if (sense === "sync") {
    const offset = score.offset_seconds;
    if (offset === null) return "offset not measured";
    if ((score.fake_probability ?? 0) >= 0.5) return "no natural lag fits";
    return `the sound comes ${Math.abs(offset).toFixed(2)}\u00a0s ${offset > 0 ? "late" : "early"}`;
  }
  const length = verdict.media.duration_seconds;
  if (!length && !score.examined_seconds) return "the picture";
  if (!length) return `${secondsText(score.examined_seconds)} examined`;
  return `${secondsText(score.examined_seconds)} of ${secondsText(length)}`;
}

/** What was left out and why: whole senses, gaps in others, faces without a score. */
export function missingCard(verdict, evidence) {
  const told = [
    ...reasons(verdict).map(([sense, why]) => [sense, sentence(why)]),
    ...gapRows(verdict, evidence),
    ...verdict.people
      .filter((person) => person.fake_probability === null)
      .map((person) => [
        personName(person.track),
        `Seen at ${interval(person.start_seconds, person.stop_seconds)}, not scored.`,
      ]),
  ];
  return el(
    "section",
    { class: "card", "aria-labelledby": "missing-title" },
    el("h2", { id: "missing-title" }, "What was not examined"),
    told.length
      ? el(
          "dl",
          { class: "missing" },
          told.map(([name, why]) => el("div", {}, el("dt", {}, name), el("dd", {}, why))),
        )
      : el("p", {}, "Picture, voice and synchrony were examined over the whole file."),
    el(
      "p",
      { class: "quiet" },
      "Nor are scenes, texts, captions or edits outside faces and voices.",
    ),
  );
}

function gapRows(verdict, evidence) {
  if (!hasTime(verdict)) return [];
  const examinedSense = { Picture: "video", Voice: "audio", Synchrony: "sync" };
  return lanesOf(verdict, evidence)
    .filter((lane) => verdict[examinedSense[lane.name]].fake_probability !== null)
    .map((lane) => [lane, gaps(fewer(lane.steps))])
    .filter(([, missing]) => missing.length)
    .map(([lane, missing]) => {
      const total = missing.reduce((sum, [start, stop]) => sum + stop - start, 0);
      const listed = missing.slice(0, 4).map((gap) => interval(...gap)).join(", ");
      const more = missing.length > 4 ? ` and ${missing.length - 4} more` : "";
      const name = lane.who ? `${lane.name}, ${lane.who.toLowerCase()}` : lane.name;
      return [name, `${secondsText(total)} without a score, at ${listed}${more}.`];
    });
}

/** Which genuine footage was given, and who in the file is also seen in it; null without any. */
export function referenceCard({ reference }) {
  if (!reference) return null;
  return el(
    "section",
    { class: "card", "aria-labelledby": "reference-title" },
    el("h2", { id: "reference-title" }, "Genuine footage to compare with"),
    el(
      "ul",
      {},
      reference.paths.map((path) => {
        const alike = reference.people
          .filter((one) => one.reference === path)
          .map((one) => `${personName(one.track).toLowerCase()} (likeness ${one.similarity.toFixed(2)})`);
        const whom = alike.length
          ? `judged against it: ${alike.join(", ")}`
          : "shows nobody of this file";
        return el("li", {}, nameOf(visible(path)), `, ${whom}`);
      }),
    ),
    el(
      "p",
      { class: "quiet" },
      "Whoever is judged against it gets a figure for how much more forged the picture looks than in that footage, which whoever asked for this scan gave as genuine.",
    ),
  );
}

/** The file, the model and how long the scan is kept. */
export function factsCard(job) {
  const { verdict } = job;
  const { video, audio, duration_seconds: length } = verdict.media;
  const { model } = verdict;
  const rate = video?.frames_per_second;
  const facts = [
    ["File", nameOf(visible(job.name))],
    ["Size", sizeText(job.size_bytes)],
    ["Duration", length ? secondsText(length) : null],
    [
      "Picture stream",
      video &&
        `${video.codec}, ${video.width}×${video.height} px${rate ? `, ${Number(rate.toPrecision(5))} frames/s` : ""}`,
    ],
    ["Sound stream", audio && `${audio.codec}, ${audio.sample_rate_hz} Hz`],
    ["SHA-256 of the file", verdict.sha256 && el("code", {}, verdict.sha256)],
    ["Model", `${model.name}, version ${model.version}`],
    ["SHA-256 of the model", el("code", {}, model.sha256)],
    ["Time to scan", verdict.seconds.total === undefined ? null : secondsText(verdict.seconds.total)],
    ["Kept", keeping(job)],
  ];
  return el(
    "section",
    { class: "card", "aria-labelledby": "facts-title" },
    el("h2", { id: "facts-title" }, "The file and the model"),
    el(
      "dl",
      { class: "facts" },
      facts
        .filter(([, value]) => value)
        .map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, value))),
    ),
  );
}

function keeping(job) {
  if (!job.expires) return "until it is deleted";
  const left = (new Date(job.expires) - Date.now()) / 1000;
  return ["until ", moment(job.expires), left > 0 ? ` (${roughly(left)} from now)` : ""];
}
