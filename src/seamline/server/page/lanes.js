// Time becomes geometry: cells, brackets and ticks at percentages of a lane's width, as in
// report/lanes.py. A step is [start seconds, stop seconds, probability or null].

import { clock, interval, level, percent } from "./words.js";

export const MOST_CELLS = 240;
const LEAST_GAP_SECONDS = 0.05;
const MOST_TICKS = 6;
const LABEL_ROWS = 3;
const [MINUTE, HOUR] = [60, 3600];
const TICK_STEPS = [
  ...[0.5, 1, 2, 5, 10, 15, 30],
  ...[1, 2, 5, 10, 15, 30].map((count) => count * MINUTE),
  ...[1, 2, 4, 12].map((count) => count * HOUR),
];
// A label's width is judged on a narrow phone: lanes 300 px wide, digits 6.5 px.
const PERCENT_PER_CHARACTER = (100 * 6.5) / 300;

/** The percentage of an axis [0, stop) at which a time lies, kept inside it. */
export function at(seconds, stop) {
  return 100 * Math.min(Math.max(seconds / stop, 0), 1);
}

/** Round times along the axis as {x, label, anchor}; one without room has an empty label. */
export function ticks(stop) {
  const step = TICK_STEPS.find((one) => stop / one <= MOST_TICKS) ?? stop / 4;
  const found = [];
  let end = -1;
  for (let count = 0; count * step <= stop + 1e-9; count++) {
    const [x, label] = [at(count * step, stop), clock(count * step)];
    const [left, right, anchor] = spanOfText(x, label);
    const fits = left >= end;
    found.push({ x, label: fits ? label : "", anchor });
    if (fits) end = Math.max(end, right);
  }
  return found;
}

function spanOfText(x, text) {
  const width = text.length * PERCENT_PER_CHARACTER;
  if (x < width / 2) return [x, x + width, "start"];
  if (x > 100 - width / 2) return [x - width, x, "end"];
  return [x - width / 2, x + width / 2, "middle"];
}

/** A timeline's values as steps up to where the file ends. */
export function stepsOf(values, stepSeconds, stop) {
  const steps = [];
  values.forEach((value, index) => {
    const start = index * stepSeconds;
    if (start < stop) steps.push([start, Math.min(start + stepSeconds, stop), value]);
  });
  const covered = steps.length ? steps.at(-1)[1] : 0;
  if (covered < stop) steps.push([covered, stop, null]);
  return steps;
}

/**
 * Examined frames as steps: each reaches halfway to its neighbours, so that a moment has the
 * value of the nearest frame, as its box has; what lies further off is null.
 */
export function frameSteps(seconds, values, stop) {
  const gaps = seconds.slice(1).map((one, index) => one - seconds[index]);
  const usual = Math.min(gaps.sort((a, b) => a - b)[Math.floor(gaps.length / 2)] ?? 1, 1);
  const reach = (from, to) => (Math.abs(to - from) <= 1.5 * usual ? (from + to) / 2 : null);
  const steps = [];
  let covered = 0;
  seconds.forEach((here, index) => {
    const [before, after] = [seconds[index - 1] ?? -Infinity, seconds[index + 1] ?? Infinity];
    const start = Math.max(reach(here, before) ?? here - usual / 2, covered);
    const last = after === Infinity && stop - here <= 1.5 * usual;
    const end = Math.min(last ? stop : (reach(here, after) ?? here + usual / 2), stop);
    if (start > covered + 1e-6) steps.push([covered, start, null]);
    if (end <= start) return;
    steps.push([start, end, values[index]]);
    covered = end;
  });
  if (covered < stop - 1e-6) steps.push([covered, stop, null]);
  return steps;
}

/** Joins neighbours until there are at most MOST_CELLS, each with the highest of their values. */
export function fewer(steps) {
  const joined = Math.max(1, Math.ceil(steps.length / MOST_CELLS));
  const found = [];
  for (let first = 0; first < steps.length; first += joined) {
    const several = steps.slice(first, first + joined);
    const values = several.map(([, , value]) => value).filter((value) => value !== null);
    found.push([several[0][0], several.at(-1)[1], values.length ? Math.max(...values) : null]);
  }
  return found;
}

/** Joins neighbours that were not examined, so that each gap is one step. */
export function mergeUnexamined(steps) {
  const merged = [];
  for (const [start, stop, value] of steps) {
    const last = merged.at(-1);
    if (value === null && last && last[2] === null) last[1] = stop;
    else merged.push([start, stop, value]);
  }
  return merged;
}

/** The intervals that were not examined; rests of a step that would read as 0 s are none. */
export function gaps(steps) {
  return mergeUnexamined(steps)
    .filter(([start, stop, value]) => value === null && stop - start >= LEAST_GAP_SECONDS)
    .map(([start, stop]) => [start, stop]);
}

/** The value of the step that covers a moment; null where nothing was examined. */
export function valueAt(steps, seconds) {
  const found = steps.find(([start, stop]) => seconds >= start && seconds < stop);
  return (found ?? steps.at(-1))?.[2] ?? null;
}

/** One bar a step as {x, width, height, level, title}; level null means not examined. */
export function bars(steps, stop) {
  return mergeUnexamined(steps).map(([start, end, value]) => {
    const x = at(start, stop);
    const width = at(end, stop) - x;
    const title = `${interval(start, end)}: ${value === null ? "not examined" : percent(value)}`;
    // A sliver stays visible at probability 0, to tell "examined" from an empty lane.
    const height = value === null ? 1 : Math.min(Math.max(value, 0.04), 1);
    return { x, width, height, level: value === null ? null : level(value), title };
  });
}

/**
 * Gives each segment the first row with room for its bracket and label, as {segment, x0, x1, row,
 * label, anchor}; where all rows are taken, the last one without a label.
 */
export function placeBrackets(segments, stop) {
  const taken = Array(LABEL_ROWS).fill(-1);
  return [...segments]
    .sort((a, b) => a.start_seconds - b.start_seconds || a.stop_seconds - b.stop_seconds)
    .map((segment) => {
      const [x0, x1] = [at(segment.start_seconds, stop), at(segment.stop_seconds, stop)];
      const text = interval(segment.start_seconds, segment.stop_seconds);
      const [labelLeft, labelRight, anchor] = spanOfText((x0 + x1) / 2, text);
      const [left, right] = [Math.min(x0, labelLeft), Math.max(x1, labelRight)];
      const free = taken.findIndex((end) => left >= end);
      const row = free < 0 ? LABEL_ROWS - 1 : free;
      taken[row] = Math.max(taken[row], right);
      return { segment, x0, x1, row, label: free < 0 ? "" : text, anchor };
    });
}

/** The lane in words, for those who hear the page. */
export function describe(name, steps, segments) {
  const seen = steps.filter(([, , value]) => value !== null);
  if (!seen.length) return `${name} over time: not examined.`;
  const top = seen.reduce((a, b) => (b[2] >= a[2] ? b : a)); // of equals the last, as there
  let text = `${name} over time: highest ${percent(top[2])} at ${interval(top[0], top[1])}.`;
  const missing = gaps(steps);
  if (missing.length) {
    const listed = missing.slice(0, 6).map((gap) => interval(...gap));
    text += ` Not examined: ${listed.join(", ")}${missing.length > 6 ? ", and more." : "."}`;
  }
  for (const one of segments.slice(0, 6)) {
    const when = interval(one.start_seconds, one.stop_seconds);
    text += ` Segment ${when}: ${percent(one.fake_probability)}.`;
  }
  return text;
}

/** Where the axis ends: the file's duration, or where its scores end if that is unknown. */
export function timelineStop(verdict) {
  const line = verdict.timeline;
  const cells = Math.max(line.video.length, line.audio.length, line.sync.length);
  const length = verdict.media.duration_seconds || cells * line.step_seconds;
  return Math.max(length, ...verdict.segments.map((segment) => segment.stop_seconds));
}

/** Whether a file has a time to show; a photo has none. */
export function hasTime(verdict) {
  const line = verdict.timeline;
  const cells = Math.max(line.video.length, line.audio.length, line.sync.length);
  const unmoving = cells === 1 && !verdict.media.duration_seconds;
  return cells > 0 && timelineStop(verdict) > 0 && !unmoving;
}
