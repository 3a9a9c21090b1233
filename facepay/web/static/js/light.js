// Shines the colours of a liveness step: soft ramps, and an exact note of when the first was on the screen.
// The terminal chooses colours that are pastel and slow enough for photosensitive people (WCAG 2.3.1).

function mix(from, to, share) {
  return from.map((value, i) => Math.round(value + (to[i] - value) * share));
}

function parse(colour) {
  return [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));
}

/** How often this display is redrawn, in Hz, from the time of a few frames; rejects none, measures only. */
export function refreshRate(frames = 12) {
  return new Promise((resolve) => {
    let first = 0;
    let count = 0;
    const tick = (now) => {
      if (count === 0) first = now;
      else if (count === frames) return resolve((1000 * frames) / (now - first));
      count += 1;
      return requestAnimationFrame(tick);
    };
    requestAnimationFrame(tick);
  });
}

/**
 * Show `steps` ([{colour: "#rrggbb", duration_ms}]) on `node`, each reached by a linear ramp.
 * `onShown` is told once, with the page's clock at the first frame of the first colour. Stops when
 * `signal` aborts.
 */
export function shine(node, { steps, ramp_ms: rampMs }, { onShown, signal }) {
  let step = -1;
  let stepStart = 0;
  let from = parse(steps[0].colour);
  const finish = () => node.style.removeProperty("background-color");
  const draw = (now) => {
    if (signal.aborted) return finish();
    if (step < 0) {
      step = 0;
      stepStart = now;
      onShown(now);
    }
    while (now - stepStart >= steps[step].duration_ms) {
      from = parse(steps[step].colour);
      stepStart += steps[step].duration_ms;
      step += 1;
      if (step === steps.length) return finish();
    }
    const share = Math.min(1, Math.max(0, (now - stepStart) / rampMs));
    const [r, g, b] = mix(from, parse(steps[step].colour), share);
    node.style.backgroundColor = `rgb(${r} ${g} ${b})`;
    return requestAnimationFrame(draw);
  };
  requestAnimationFrame(draw);
}
