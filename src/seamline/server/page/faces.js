// The examined faces with heat over them: where in a face the model sees a manipulation.

import { ownUrl } from "./api.js";
import { el, put } from "./dom.js";
import { clock, interval, likelihood, percent, personName } from "./words.js";

const HIGHEST_LOOKS = 3;
const SPREAD_LOOKS = 5;
const MOST_PEOPLE = 6;

/**
 * Takes the highest scoring looks and more spread evenly over the rest, in order of time: only the
 * highest would hide that a face scored low most of the time (as report/looks.py does).
 */
export function chooseLooks(looks, highest = HIGHEST_LOOKS, spread = SPREAD_LOOKS) {
  const inTime = [...looks].sort((a, b) => a.seconds - b.seconds);
  const places = inTime.map((_, place) => place);
  const byScore = [...places].sort(
    (a, b) => inTime[b].fake_probability - inTime[a].fake_probability || a - b,
  );
  const top = new Set(byScore.slice(0, highest));
  const rest = places.filter((place) => !top.has(place));
  if (rest.length <= spread) return inTime;
  for (let k = 0; k < spread; k++) {
    top.add(rest[Math.floor(((2 * k + 1) * rest.length) / (2 * spread))]);
  }
  return [...top].sort((a, b) => a - b).map((place) => inTime[place]);
}

/**
 * The section of faces, or null where none was kept. `onSeek` is told a look's moment; it is null
 * for a picture, which has no time.
 */
export function facesSection({ verdict, evidence, onSeek }) {
  const looks = evidence?.looks ?? [];
  if (!looks.length) return null;
  const rank = (track) => verdict.people.find((one) => one.track === track)?.fake_probability ?? 0;
  const tracks = [...new Set(looks.map((look) => look.track))].sort((a, b) => rank(b) - rank(a));
  const section = el("section", { class: "card faces", "aria-labelledby": "faces-title" });
  const people = tracks.slice(0, MOST_PEOPLE).map((track) => person(track, looks, verdict, onSeek));
  const left = tracks.length - MOST_PEOPLE;
  put(
    section,
    el("h2", { id: "faces-title" }, "Where in the face"),
    looks.some((look) => look.heat_url) ? heatControl(section) : null,
    people,
    left > 0 ? el("p", { class: "quiet" }, `${left} further faces with lower probabilities are not pictured.`) : null,
  );
  return section;
}

function heatControl(section) {
  const strength = el("input", { type: "range", id: "heat", min: 0, max: 100, value: 100 });
  const figure = el("output", { for: "heat", class: "now" });
  const update = () => {
    section.style.setProperty("--heat", String(Number(strength.value) / 100));
    figure.textContent = `${strength.value}\u00a0%`;
  };
  strength.addEventListener("input", update);
  update();
  const onoff = el("input", {
    type: "checkbox",
    checked: true,
    onchange: () => {
      section.classList.toggle("no-heat", !onoff.checked);
      strength.disabled = !onoff.checked;
    },
  });
  return el(
    "div",
    { class: "heat-control" },
    el("label", { class: "check" }, onoff, "Show heat"),
    el("label", { class: "check" }, "Strength", strength, figure),
    el(
      "p",
      { class: "legend" },
      "Probability of manipulation at a place: ",
      el(
        "span",
        { class: "nowrap" },
        "0\u00a0% ",
        el("span", {
          class: "ramp",
          role: "img",
          "aria-label": "from grey over violet and orange to light yellow",
        }),
        " 100\u00a0%.",
      ),
      " The white line encloses 50\u00a0% and more.",
    ),
  );
}

function person(track, looks, verdict, onSeek) {
  const all = looks.filter((look) => look.track === track);
  const few = chooseLooks(all);
  const known = verdict.people.find((one) => one.track === track);
  const score = known?.fake_probability ?? null;
  const grid = el("div", { class: "looks" }, few.map((look) => figureOf(look, onSeek)));
  const note = el("p", { class: "quiet" }, counted(few.length, all.length));
  const more = el(
    "button",
    {
      type: "button",
      class: "small-button",
      onclick: () => {
        const inTime = [...all].sort((a, b) => a.seconds - b.seconds);
        put(grid, inTime.map((look) => figureOf(look, onSeek)));
        note.textContent = counted(all.length, all.length);
        more.remove();
        grid.querySelector("button")?.focus();
      },
    },
    `Show all ${all.length} looks`,
  );
  return el(
    "section",
    { "aria-label": personName(track) },
    el(
      "h3",
      {},
      personName(track),
      known && onSeek ? `, ${interval(known.start_seconds, known.stop_seconds)}` : "",
      `: ${score === null ? "not scored" : percent(score)}`,
    ),
    note,
    grid,
    few.length < all.length ? more : null,
  );
}

function counted(shown, all) {
  if (all === 1) return "1 examined look.";
  const which = shown < all ? "the highest and others spread over time" : "in order of time";
  return `${shown} of ${all} examined looks: ${which}.`;
}

function figureOf(look, onSeek) {
  const when = clock(look.seconds);
  const image = (address, alt, kind) =>
    el("img", { src: address, alt, class: kind, loading: "lazy", decoding: "async" });
  const [face, heat] = [ownUrl(look.face_url), look.heat_url ? ownUrl(look.heat_url) : null];
  return el(
    "figure",
    {},
    el(
      "div",
      { class: "pair" },
      face ? image(face, onSeek ? `${personName(look.track)} at ${when}` : personName(look.track), "face") : null,
      face && heat
        ? el("div", { class: "stack" }, image(face, "", "face"), image(heat, `The same face with heat: ${look.heat_peak}`, "heat"))
        : el("p", { class: "absent quiet" }, "No heatmap for this look"),
    ),
    el(
      "figcaption",
      {},
      onSeek ? [timeButton(when, () => onSeek(look.seconds)), " · "] : null,
      `${percent(look.fake_probability)}, ${likelihood(look.fake_probability)}`,
      look.heat_peak ? el("span", { class: "quiet" }, `Heat: ${look.heat_peak}`) : null,
    ),
  );
}

function timeButton(when, onclick) {
  return el("button", { type: "button", class: "link", "aria-label": `Go to ${when}`, onclick }, when);
}
