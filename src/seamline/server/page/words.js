// A verdict and its numbers in plain words: the same as report/words.py, which a test compares.

const NBSP = "\u00a0";

export const SENSES = ["video", "audio", "sync"];
export const SENSE_NAMES = { video: "Picture", audio: "Voice", sync: "Synchrony" };

// (upper bound, word), after the IPCC's guidance note on uncertainty (Mastrandrea et al., 2010).
const LIKELIHOODS = [
  [0.01, "exceptionally unlikely"],
  [0.1, "very unlikely"],
  [0.33, "unlikely"],
  [0.66, "about as likely as not"],
  [0.9, "likely"],
  [0.99, "very likely"],
];
const MANIPULATED = {
  fake_video: "manipulated picture",
  fake_audio: "manipulated voice",
  fake_both: "manipulated picture and voice",
};
const APART = "lips and sound that do not belong together";
const ALIKE = "Dubbing, or another voice laid over a genuine speaker, looks the same.";
// Control, direction and lone surrogate characters: they let a file name pose as another one.
const UNSEEN =
  /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]/gu;

/** Rounds halves to even, as Python does. */
function roundEven(value) {
  const below = Math.floor(value);
  const rest = value - below;
  if (rest !== 0.5) return Math.round(value);
  return below % 2 === 0 ? below : below + 1;
}

/** One decimal; a tie (only quarters are one in binary) goes to even. */
function oneDecimal(value) {
  const tie = Number.isInteger(4 * value) && !Number.isInteger(2 * value);
  return tie ? (roundEven(10 * value) / 10).toFixed(1) : value.toFixed(1);
}

function short(decimal) {
  return decimal.replace(/\.0$/, "");
}

/** Spells out characters that would be unseen or reorder the text. */
export function visible(text) {
  return text.replace(
    UNSEEN,
    (found) => `\\u${found.codePointAt(0).toString(16).padStart(4, "0")}`,
  );
}

export function likelihood(probability) {
  return LIKELIHOODS.find(([upper]) => probability < upper)?.[1] ?? "almost certain";
}

/** [range, word] for each word of `likelihood`, the highest first. */
export function likelihoodScale() {
  const bounds = [0, ...LIKELIHOODS.map(([upper]) => upper), 1];
  const words = [...LIKELIHOODS.map(([, word]) => word), "almost certain"];
  return words
    .map((word, place) => {
      const [low, high] = [bounds[place], bounds[place + 1]];
      return [`${roundEven(100 * low)}–${roundEven(100 * high)}${NBSP}%`, word];
    })
    .reverse();
}

/** A probability as a figure; certainty is never claimed. */
export function percent(probability) {
  if (probability < 0.01) return `under 1${NBSP}%`;
  if (probability > 0.99) return `over 99${NBSP}%`;
  return `${roundEven(100 * probability)}${NBSP}%`;
}

/** The fifth of the scale that names a probability's colour, 0 to 4. */
export function level(probability) {
  return Math.min(Math.floor(5 * probability), 4);
}

/** Minutes and seconds, `1:05` or `1:05.3`, from an hour on `1:02:05`. */
export function clock(seconds) {
  const tenths = roundEven(10 * seconds);
  const sign = tenths < 0 ? "-" : "";
  const whole = Math.floor(Math.abs(tenths) / 10);
  const tenth = Math.abs(tenths) % 10;
  const two = (number) => String(number).padStart(2, "0");
  const [minutes, second] = [Math.floor(whole / 60), whole % 60];
  const [hours, minute] = [Math.floor(minutes / 60), minutes % 60];
  const text = hours ? `${hours}:${two(minute)}:${two(second)}` : `${minute}:${two(second)}`;
  return `${sign}${text}${tenth ? `.${tenth}` : ""}`;
}

export function interval(start, stop) {
  return `${clock(start)}–${clock(stop)}`;
}

/** A length of time, `8.5 s` or `2 min 5 s`; from a minute on in whole seconds. */
export function secondsText(seconds) {
  if (Number(oneDecimal(seconds)) < 60) {
    return `${short(oneDecimal(seconds))}${NBSP}s`;
  }
  const whole = roundEven(seconds);
  const parts = [
    [Math.floor(whole / 3600), "h"],
    [Math.floor(whole / 60) % 60, "min"],
    [whole % 60, "s"],
  ];
  return parts
    .filter(([count]) => count)
    .map(([count, unit]) => `${count}${NBSP}${unit}`)
    .join(" ");
}

/** A file size in the unit that suits it. */
export function sizeText(bytes) {
  for (const [power, unit] of [[3, "GB"], [2, "MB"], [1, "kB"]]) {
    if (bytes >= 1000 ** power) return `${short(oneDecimal(bytes / 1000 ** power))}${NBSP}${unit}`;
  }
  return `${bytes}${NBSP}bytes`;
}

/** A length of time without false precision, as in "kept for 2 days". */
export function roughly(seconds) {
  for (const [unit, length] of [["day", 86400], ["hour", 3600], ["minute", 60]]) {
    const count = Math.round(seconds / length);
    if (seconds >= length) return `${count}${NBSP}${unit}${count === 1 ? "" : "s"}`;
  }
  return `${Math.round(seconds)}${NBSP}s`;
}

/** What the page calls a track; the number is the one in the JSON verdict. */
export function personName(track) {
  return `Face ${track}`;
}

/** [sense, why] for each sense that was not examined. */
export function reasons(verdict) {
  return SENSES.filter((sense) => verdict[sense].fake_probability === null).map((sense) => [
    SENSE_NAMES[sense],
    verdict[sense].reason || "no reason was recorded",
  ]);
}

/**
 * Says in one line what was found and how sure it is: {tone, title, figure, word, sentence};
 * figure and word are null where no probability is given.
 */
export function headline(verdict) {
  const none = { figure: null, word: null };
  if (verdict.error) {
    return { tone: "unread", title: "Could not be read", ...none, sentence: sentence(verdict.error) };
  }
  const probability = verdict.fake_probability;
  if (!verdict.label || verdict.label === "inconclusive" || probability === null) {
    return { tone: "unsure", title: "Inconclusive", ...none, sentence: whyInconclusive(verdict) };
  }
  const [figure, word] = [percent(probability), likelihood(probability)];
  if (verdict.label === "real" && verdict.segments.length) {
    const title = "No manipulation found on the whole, but a part stands out";
    return { tone: "real", title, figure, word, sentence: strongest(verdict) };
  }
  if (verdict.label === "real") {
    const doubt = probability < 0.33 ? "" : ", but one is not ruled out";
    const title = `No manipulation found${doubt}`;
    return { tone: "real", title, figure, word, sentence: `${doubtfulSync(verdict)} ${unexamined(verdict)}`.trim() };
  }
  const apart = bySync(verdict);
  const wrong = apart ? APART : MANIPULATED[verdict.label];
  const what = both(verdict) || `${likely(probability)} ${wrong}`;
  const said = apart ? `${ALIKE} ${strongest(verdict)}` : strongest(verdict);
  return { tone: "fake", title: `${capital(what)}: ${figure}`, figure, word, sentence: said };
}

/** Whether lips and sound alone make the file a fake. */
function bySync(verdict) {
  const [chance, picture] = [verdict.sync.fake_probability, verdict.video.fake_probability ?? 0];
  return verdict.label === "fake_video" && chance === verdict.fake_probability && picture < chance;
}

function likely(probability) {
  if (probability < 0.66) return "possibly";
  const word = likelihood(probability);
  return word === "almost certain" ? "almost certainly" : word;
}

/** Each sense in its own words, where both are called fake and one is much less sure; else null. */
function both(verdict) {
  const told = [
    ["picture", verdict.video.fake_probability],
    ["voice", verdict.audio.fake_probability],
  ];
  if (verdict.label !== "fake_both" || told.some(([, probability]) => probability === null)) return null;
  const [[surer, most], [other, least]] = told.sort((a, b) => b[1] - a[1]);
  if (likely(most) === likely(least)) return null;
  return `${likely(most)} manipulated ${surer}, ${likely(least)} ${other} too`;
}

function whyInconclusive(verdict) {
  const missing = reasons(verdict);
  const told = missing.map(([sense, why]) => `${sense.toLowerCase()}: ${why}`).join("; ");
  if (missing.length === SENSES.length) {
    return `Nothing could be examined because of this: ${full(told)}`;
  }
  const judged = "What could be examined does not suffice for a verdict, or lies outside the range";
  const tail = told ? ` Not examined: ${full(told)}` : "";
  return `${judged} in which the model is reliable.${tail}`;
}

function strongest(verdict) {
  if (!verdict.segments.length) {
    return `No single segment stands out. ${unexamined(verdict)}`;
  }
  const top = verdict.segments.reduce((a, b) => (b.fake_probability > a.fake_probability ? b : a));
  const who = top.track === null ? "" : `, ${personName(top.track).toLowerCase()}`;
  const more = verdict.segments.length - 1;
  const others = more ? ` (and ${more} more segment${more > 1 ? "s" : ""})` : "";
  const where = `${interval(top.start_seconds, top.stop_seconds)}${who}${others}`;
  return `Strongest in the ${SENSE_NAMES[top.modality].toLowerCase()} at ${where}. ${unexamined(verdict)}`;
}

/** Why lips and sound that fit poorly leave a file genuine; empty where they fit. */
function doubtfulSync(verdict) {
  const chance = verdict.sync.fake_probability ?? 0;
  if (chance < 0.5) return "";
  return `Lips and sound fit poorly (${percent(chance)}), too little to call the file fake by itself.`;
}

function unexamined(verdict) {
  const missing = reasons(verdict).map(([sense]) => sense.toLowerCase());
  if (!missing.length) return "Picture, voice and their synchrony were examined.";
  return `Not examined, so not covered by this figure: ${missing.join(", ")}.`;
}

function full(text) {
  return `${text.trim().replace(/\.+$/, "")}.`;
}

function capital(text) {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}

/** A text as a sentence: a capital first, one full stop last. */
export function sentence(text) {
  return capital(full(text));
}
