// Shines the colours of a liveness step: soft ramps, and an exact note of when each was on the screen.
// At most two colour changes a second pair up as flashes; nothing here is saturated red or black.

const ease = (x) => x * x * (3 - 2 * x);

function mix(from, to, share) {
  return from.map((value, i) => Math.round(value + (to[i] - value) * share));
}

function parse(colour) {
  return [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));
}

/**
 * Show `steps` ([{colour: "#rrggbb", ms}]) on `node`; resolves to [{step, shown_ms}] in the page's clock.
 * Stops early, with what was shown, when `signal` aborts.
 */
export function shine(node, { steps, rampMs = 90 }, signal) {
  const shown = [];
  const start = performance.now();
  let from = parse(steps[0].colour);
  let step = -1;
  let stepStart = start;
  return new Promise((resolve) => {
    const finish = () => {
      node.style.removeProperty("background-color");
      resolve(shown);
    };
    const draw = (now) => {
      if (signal?.aborted) return finish();
      if (step < 0 || now - stepStart >= steps[step].ms) {
        if (step >= 0) {
          from = parse(steps[step].colour);
          stepStart += steps[step].ms;
        } else stepStart = now;
        step += 1;
        if (step >= steps.length) return finish();
        shown.push({ step, shown_ms: now });
      }
      const share = ease(Math.min(1, (now - stepStart) / rampMs));
      const [r, g, b] = mix(from, parse(steps[step].colour), share);
      node.style.backgroundColor = `rgb(${r} ${g} ${b})`;
      return requestAnimationFrame(draw);
    };
    requestAnimationFrame(draw);
  });
}
