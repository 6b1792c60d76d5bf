// The senses over time, in step with the player: lanes to click, a slider, segments as buttons.

import { el, svg } from "./dom.js";
import {
  bars,
  describe,
  fewer,
  frameSteps,
  placeBrackets,
  stepsOf,
  ticks,
  timelineStop,
  valueAt,
} from "./lanes.js";
import { SENSE_NAMES, clock, interval, percent, personName } from "./words.js";

const BARS_PX = 40;
const ROW_PX = 28; // a finger's or a shaky hand's target is at least 24 px (WCAG 2.5.8)
const MOST_FACES = 6;

/** The lanes of a verdict: {name, who, steps, segments}; faces apart where frames are known. */
export function lanesOf(verdict, evidence) {
  const stop = timelineStop(verdict);
  const line = verdict.timeline;
  const ofSense = (sense) => verdict.segments.filter((one) => one.modality === sense);
  const lane = (sense) => ({
    name: SENSE_NAMES[sense],
    who: null,
    steps: stepsOf(line[sense], line.step_seconds, stop),
    segments: ofSense(sense),
  });
  const shown = [...verdict.people]
    .sort((a, b) => (b.fake_probability ?? 0) - (a.fake_probability ?? 0))
    .slice(0, MOST_FACES)
    .map((person) => (evidence?.faces ?? []).find((face) => face.track === person.track))
    .filter(Boolean)
    .sort((a, b) => a.track - b.track);
  const tracks = new Set(shown.map((face) => face.track));
  const faces = shown.map((face) => ({
    name: SENSE_NAMES.video,
    who: personName(face.track),
    steps: frameSteps(face.seconds, face.fake_probability, stop),
    segments: ofSense("video").filter((one) => one.track === face.track),
  }));
  const rest = ofSense("video").filter((one) => !tracks.has(one.track));
  if (faces.length && rest.length) faces.unshift({ ...lane("video"), segments: rest });
  return [...(faces.length ? faces : [lane("video")]), lane("audio"), lane("sync")];
}

/** Makes {element, setTime(seconds)}; `onSeek` is told where to go. */
export function createTimeline({ verdict, evidence, onSeek }) {
  const stop = timelineStop(verdict);
  const lanes = lanesOf(verdict, evidence).map((one) => drawLane(one, stop, onSeek));
  const slider = makeSlider(stop, onSeek);
  const playhead = el("div", { class: "playhead", "aria-hidden": "true" });
  const grid = el(
    "div",
    { class: "lanes" },
    el("div", { class: "lane-name" }, el("label", { for: "scrub" }, "Position"), slider.readout),
    el("div", { class: "plot scrub" }, slider.input),
    lanes.map((lane) => [lane.label, lane.plot]),
    el("div", { class: "lane-name", "aria-hidden": "true" }),
    el("div", { class: "plot" }, drawAxis(stop)),
    playhead,
  );
  const left = verdict.people.length - MOST_FACES;
  const element = el(
    "div",
    { class: "timeline" },
    grid,
    el(
      "p",
      { class: "quiet" },
      `The higher a bar, the likelier a manipulation; the dashed line is 50${"\u00a0"}%. `,
      evidence?.faces?.length ? "A bar of a face is one examined frame, of the voice one second. " : "",
      "Press a bar to go there; brackets are segments.",
      left > 0 ? ` ${left} further faces with lower probabilities are not drawn.` : "",
    ),
    colourKey(),
  );
  return {
    element,
    setTime(seconds) {
      grid.style.setProperty("--share", String(Math.min(Math.max(seconds / stop, 0), 1)));
      slider.set(seconds);
      for (const lane of lanes) lane.setTime(seconds);
    },
  };
}

function makeSlider(stop, onSeek) {
  const readout = el("output", { class: "now", for: "scrub" });
  const input = el("input", {
    type: "range",
    id: "scrub",
    min: 0,
    max: stop,
    step: "any",
    value: 0,
    oninput: () => onSeek(Number(input.value)),
    onkeydown: (event) => {
      const step = Math.min(1, Math.max(stop / 40, 0.1));
      const moves = {
        ArrowRight: step, ArrowUp: step, ArrowLeft: -step, ArrowDown: -step,
        PageUp: stop / 10, PageDown: -stop / 10, Home: -Infinity, End: Infinity,
      };
      if (!(event.key in moves)) return;
      event.preventDefault();
      onSeek(Math.min(Math.max(Number(input.value) + moves[event.key], 0), stop));
    },
  });
  const set = (seconds) => {
    input.value = String(seconds);
    readout.textContent = clock(seconds);
    input.setAttribute("aria-valuetext", `${clock(seconds)} of ${clock(stop)}`);
  };
  set(0);
  return { input, readout, set };
}

function drawLane(lane, stop, onSeek) {
  const title = lane.who ? `${lane.name}, ${lane.who.toLowerCase()}` : lane.name;
  const steps = fewer(lane.steps);
  const now = el("span", { class: "now" });
  const label = el(
    "div",
    { class: "lane-name" },
    el("span", {}, lane.name, lane.who ? el("span", { class: "who" }, ` ${lane.who}`) : null),
    now,
  );
  const picture = svg(
    "svg",
    { class: "lane", role: "img", "aria-label": describe(title, steps, lane.segments), width: "100%", height: BARS_PX },
    svg("rect", { width: "100%", height: BARS_PX, class: "lane-back" }),
    bars(steps, stop).map(drawBar),
    svg("line", { x1: 0, x2: "100%", y1: BARS_PX / 2, y2: BARS_PX / 2, class: "even-odds" }),
  );
  picture.addEventListener("click", (event) => {
    const area = picture.getBoundingClientRect();
    onSeek(Math.min(Math.max((event.clientX - area.left) / area.width, 0), 1) * stop);
  });
  const placed = placeBrackets(lane.segments, stop);
  const buttons = placed.map((one) => segmentButton(one, title, onSeek));
  const rows = Math.max(0, ...placed.map(({ row }) => row + 1));
  const strip = el(
    "div",
    { class: "brackets", role: "group", "aria-label": `Segments: ${title}`, style: { height: `${rows * ROW_PX}px` } },
    buttons,
  );
  return {
    label,
    plot: el("div", { class: "plot" }, picture, rows ? strip : null),
    setTime(seconds) {
      const value = valueAt(lane.steps, seconds);
      now.textContent = value === null ? "not examined" : percent(value);
      placed.forEach(({ segment }, index) => {
        const inside = seconds >= segment.start_seconds && seconds < segment.stop_seconds;
        if (inside) buttons[index].setAttribute("aria-current", "true");
        else buttons[index].removeAttribute("aria-current");
      });
    },
  };
}

function drawBar(bar) {
  const place = { x: `${bar.x}%`, width: `${bar.width}%` };
  const title = svg("title", {}, bar.title);
  if (bar.level === null) {
    return svg("rect", { ...place, y: 0, height: BARS_PX, fill: "url(#hatch)" }, title);
  }
  const height = bar.height * BARS_PX;
  const filled = { ...place, y: BARS_PX - height, height, class: `bar p${bar.level}` };
  return svg(
    "g",
    {},
    title,
    svg("rect", { ...place, y: 0, height: BARS_PX, class: "cell" }),
    svg("rect", filled),
  );
}

function segmentButton({ segment, x0, x1, row, label, anchor }, title, onSeek) {
  const when = interval(segment.start_seconds, segment.stop_seconds);
  const told = `${when}, ${title}, ${percent(segment.fake_probability)}: go there`;
  return el(
    "button",
    {
      type: "button",
      class: "bracket",
      "aria-label": told,
      title: `${when}: ${percent(segment.fake_probability)}`,
      style: { left: `${x0}%`, width: `${x1 - x0}%`, top: `${row * ROW_PX}px` },
      onclick: () => onSeek(segment.start_seconds),
    },
    el("span", { class: anchor }, label),
  );
}

function drawAxis(stop) {
  return svg(
    "svg",
    { class: "axis", "aria-hidden": "true", width: "100%", height: 20 },
    svg("line", { x1: 0, x2: "100%", y1: 0.5, y2: 0.5, class: "axis-line" }),
    ticks(stop).map(({ x, label, anchor }) => [
      svg("line", { x1: `${x}%`, x2: `${x}%`, y1: 0, y2: 5, class: "axis-line" }),
      svg("text", { x: `${x}%`, y: 17, "text-anchor": anchor }, label),
    ]),
  );
}

/** What the colours of bars mean; the height of a bar says the same. */
export function colourKey() {
  const ranges = ["0–20", "20–40", "40–60", "60–80", "80–100"];
  const swatch = (attributes) =>
    svg(
      "svg",
      { width: 14, height: 14, "aria-hidden": "true" },
      svg("rect", { width: 14, height: 14, ...attributes }),
    );
  return el(
    "ul",
    { class: "key", "aria-label": "Colours of the bars" },
    ranges.map((range, place) => el("li", {}, swatch({ class: `p${place}` }), `${range}\u00a0%`)),
    el("li", {}, swatch({ fill: "url(#hatch)" }), "not examined"),
  );
}
