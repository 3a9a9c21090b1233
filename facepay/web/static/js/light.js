// Shines the colours of a liveness step: soft ramps, and an exact note of when the first was on the screen.
// The terminal chooses colours that are pastel and slow enough for photosensitive people (WCAG 2.3.1).

function mix(from, to, share) {
  return from.map((value, i) => Math.round(value + (to[i] - value) * share));
}

function parse(colour) {
  return [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));
}

/**
 * Show `steps` ([{colour: "#rrggbb", ms}]) on `node`, each reached by a linear ramp.
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
    while (now - stepStart >= steps[step].ms) {
      from = parse(steps[step].colour);
      stepStart += steps[step].ms;
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
