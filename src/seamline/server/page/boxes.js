// Where faces are at a moment, between the frames that were examined: as report/overlay.py does.

// Boxes are carried over gaps up to this long, and this far past a track's ends.
const BRIDGE_SECONDS = 1.5;
const LINGER_SECONDS = 0.2;

/**
 * The boxes to draw at a moment: [{track, box: [x0, y0, x1, y1], probability}]. `faces` are the
 * evidence's tracks, each in order of time; the probability is the nearest examined frame's.
 */
export function marksAt(faces, seconds) {
  const found = [];
  for (const face of faces) {
    const after = upperBound(face.seconds, seconds);
    const mark = between(face, after - 1, after, seconds);
    if (mark) found.push({ track: face.track, ...mark });
  }
  return found;
}

/** The first place whose value lies above `value` in an ascending list. */
function upperBound(values, value) {
  let [low, high] = [0, values.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (values[middle] <= value) low = middle + 1;
    else high = middle;
  }
  return low;
}

function between(face, before, after, seconds) {
  const times = face.seconds;
  const [hasBefore, hasAfter] = [before >= 0, after < times.length];
  if (hasBefore && hasAfter && times[after] - times[before] <= BRIDGE_SECONDS) {
    const share = (seconds - times[before]) / (times[after] - times[before]);
    const [first, second] = [face.boxes[before], face.boxes[after]];
    const box = first.map((value, side) => value + share * (second[side] - value));
    return { box, probability: face.fake_probability[share < 0.5 ? before : after] };
  }
  for (const [there, place] of [[hasBefore, before], [hasAfter, after]]) {
    if (there && Math.abs(seconds - times[place]) <= LINGER_SECONDS) {
      return { box: face.boxes[place], probability: face.fake_probability[place] };
    }
  }
  return null;
}

/** Where a picture lies inside its element under object-fit: contain, in the element's pixels. */
export function containedRect(elementWidth, elementHeight, width, height) {
  if (!width || !height) return { x: 0, y: 0, width: elementWidth, height: elementHeight };
  const scale = Math.min(elementWidth / width, elementHeight / height);
  const [shownWidth, shownHeight] = [width * scale, height * scale];
  return {
    x: (elementWidth - shownWidth) / 2,
    y: (elementHeight - shownHeight) / 2,
    width: shownWidth,
    height: shownHeight,
  };
}
