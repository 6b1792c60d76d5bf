// A finished scan: the finding, the file with boxes, time, senses, faces, facts.

import { jobUrl } from "./api.js";
import { el, mark, moment, nameOf, svg } from "./dom.js";
import { facesSection } from "./faces.js";
import { fewer, gaps, hasTime } from "./lanes.js";
import { createPlayer } from "./player.js";
import { createTimeline, lanesOf } from "./timeline.js";
import {
  SENSES,
  SENSE_NAMES,
  headline,
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
      facesSection({ verdict, evidence, onSeek: showMoment }),
    );
  }
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
    el("h2", { id: "look-title" }, verdict.media.video ? "Look and listen" : "Listen"),
    el(
      "div",
      { class: "look-grid" },
      player.element,
      timeline ? segmentList(verdict, goTo) : null,
    ),
    timeline?.element,
  );
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
    el("h3", { id: "segments-title" }, found.length ? "Where to look" : "Segments"),
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

function sensesCard(verdict) {
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
    return `the sound comes ${Math.abs(offset).toFixed(2)}\u00a0s ${offset > 0 ? "late" : "early"}`;
  }
  const length = verdict.media.duration_seconds;
  if (!length) return `${secondsText(score.examined_seconds)} examined`;
  return `${secondsText(score.examined_seconds)} of ${secondsText(length)}`;
}

function missingCard(verdict, evidence) {
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

function factsCard(job) {
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
