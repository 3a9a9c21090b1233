// The capture of a sign-up: the camera runs from one tap to the end of the capture, not longer.

import { PageCamera } from "./camera.js";
import { shine } from "./light.js";
import { Screen } from "./screen.js";
import { send } from "./send.js";

const POLL_MS = 250;
const { dataset } = document.body;
const screen = new Screen();
const begin = screen.find("begin");
const pageCamera = dataset.camera === "page";
let light = null;
let running = false;
let ended = false;

const camera = new PageCamera(screen.find("preview"), dataset.frames, {
  onAnswer: async (answer) => draw(await answer.json()),
});

function cameraShown(on) {
  screen.find("camera-pill").dataset.on = String(on);
  screen.find("oval").dataset.seen = String(on && camera.isOpen);
}

function rest(message) {
  running = false;
  camera.close();
  cameraShown(false);
  light?.abort();
  screen.hint("", "");
  screen.mood("calm");
  screen.progress(0);
  screen.notice(message);
  screen.show("begin", true);
  screen.show("ready", true);
  if (message) begin.focus();
}

function draw(state) {
  if (!running || ended) return;
  if (state.step === "done") {
    ended = true;
    camera.close();
    location.assign(state.next);
    return;
  }
  if (state.step !== "capturing") {
    rest(state.failed);
    return;
  }
  screen.hint(state.hint, state.icon);
  screen.mood(state.mood);
  screen.progress(state.progress);
  shineOnce(state.light);
}

function shineOnce(colours) {
  if (!colours || colours.id === light?.id) return;
  light?.abort();
  light = new AbortController();
  light.id = colours.id;
  const onShown = (at) => {
    const values = { number: colours.id, shown_ms: at, sent_ms: performance.now() };
    send(dataset.shown, values).catch(() => {});
  };
  shine(screen.find("light"), colours, { onShown, signal: light.signal });
}

async function poll() {
  if (!running || ended) return;
  try {
    const answer = await fetch(dataset.state, { headers: { Accept: "application/json" }, cache: "no-store" });
    const state = await answer.json();
    if (answer.ok) draw(state);
    else rest(state.detail);
  } catch {
    // The next look tries again; the terminal ends a capture that nobody feeds.
  }
  setTimeout(poll, POLL_MS);
}

async function start() {
  screen.notice("");
  begin.disabled = true;
  try {
    if (pageCamera) await camera.open();
  } catch {
    rest(dataset.noCamera);
    begin.disabled = false;
    return;
  }
  try {
    await send(dataset.capture);
    running = true;
    cameraShown(true);
    screen.show("begin", false);
    screen.show("ready", false);
    screen.focusTitle();
    if (pageCamera) camera.start("signup");
    poll();
  } catch (refusal) {
    rest(refusal.message);
  }
  begin.disabled = false;
}

begin.addEventListener("click", start);
