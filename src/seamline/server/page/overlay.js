// Draws boxes and scores on a canvas over the picture, at the screen's own resolution.

import { containedRect, marksAt } from "./boxes.js";
import { level, percent, personName } from "./words.js";

// The colours of the annotated video (report/overlay.py), made for dark and light pictures alike.
const LEVELS = ["#6aa3de", "#a195e6", "#d18ac8", "#f2809a", "#ff6f61"];
const UNSCORED = "#c8c8c8";
const GROUND = "rgba(14, 17, 22, 0.86)";

/**
 * Makes {canvas, draw(seconds), show(on)}. `picture()` gives the [width, height] of what is shown
 * under the canvas; boxes refer to evidence.width × evidence.height of the same picture.
 */
export function createOverlay(canvas, evidence, picture) {
  const faces = evidence?.faces ?? [];
  let [seconds, shown] = [0, true];

  const draw = (moment = seconds) => {
    seconds = moment;
    const { clientWidth, clientHeight } = canvas;
    const dense = window.devicePixelRatio || 1;
    const [width, height] = [Math.round(clientWidth * dense), Math.round(clientHeight * dense)];
    if (canvas.width !== width) canvas.width = width;
    if (canvas.height !== height) canvas.height = height;
    const context = canvas.getContext("2d");
    context.setTransform(dense, 0, 0, dense, 0, 0);
    context.clearRect(0, 0, clientWidth, clientHeight);
    const marks = shown ? marksAt(faces, seconds) : [];
    canvas.dataset.faces = String(marks.length);
    if (!marks.length || !clientWidth) return;
    const area = containedRect(clientWidth, clientHeight, ...picture());
    for (const mark of marks) drawMark(context, mark, area, evidence);
  };
  new ResizeObserver(() => draw()).observe(canvas);
  return {
    draw,
    show(on) {
      shown = on;
      draw();
    },
  };
}

function drawMark(context, mark, area, evidence) {
  const [scaleX, scaleY] = [area.width / evidence.width, area.height / evidence.height];
  const [x0, y0] = [area.x + mark.box[0] * scaleX, area.y + mark.box[1] * scaleY];
  const [x1, y1] = [area.x + mark.box[2] * scaleX, area.y + mark.box[3] * scaleY];
  const scored = mark.probability !== null && mark.probability !== undefined;
  const colour = scored ? LEVELS[level(mark.probability)] : UNSCORED;
  context.setLineDash(scored ? [] : [6, 4]);
  for (const [thick, stroke] of [[5, GROUND], [2.5, colour]]) {
    context.lineWidth = thick;
    context.strokeStyle = stroke;
    context.strokeRect(x0, y0, x1 - x0, y1 - y0);
  }
  const text = `${personName(mark.track)}: ${scored ? percent(mark.probability) : "not scored"}`;
  context.font = "600 13px system-ui, sans-serif";
  const [wide, high] = [context.measureText(text).width + 12, 22];
  const left = Math.max(area.x, Math.min(x0 - 2, area.x + area.width - wide));
  const top = y0 - high - 4 >= area.y ? y0 - high - 4 : Math.min(y1 + 4, area.y + area.height - high);
  context.fillStyle = GROUND;
  context.beginPath();
  context.roundRect(left, top, wide, high, 4);
  context.fill();
  context.fillStyle = colour;
  context.textBaseline = "middle";
  context.fillText(text, left + 6, top + high / 2 + 0.5);
}
