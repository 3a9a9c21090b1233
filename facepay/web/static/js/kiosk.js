// The kiosk: draws what the terminal says, opens the camera after a tap, releases it after the capture.

import { PageCamera } from "./camera.js";
import { Events } from "./events.js";
import { CodeKeys } from "./keypad.js";
import { shine } from "./light.js";
import { Screen } from "./screen.js";
import { send } from "./send.js";
import { Voice } from "./voice.js";

const page = document.body;
const { dataset } = page;
const screen = new Screen();
const voice = new Voice(screen.find("voice"), document.documentElement.lang);
screen.onSay = (text) => voice.say(text);

// A smile may confirm, so the camera stays on until the shopper has agreed.
const LOOKING = new Set(["code", "capturing", "challenge", "factor", "confirm"]);
let view = JSON.parse(dataset.view);
let shining = null;

// Whoever would rather have no light from the screen types the code instead; asked for anew at each sale.
const noLight = screen.find("no-light");
const calmer = matchMedia("(prefers-reduced-motion: reduce)");
const spareLight = (on) => noLight.setAttribute("aria-pressed", String(on));
const spared = () => noLight.getAttribute("aria-pressed") === "true";
spareLight(calmer.matches);
noLight.addEventListener("click", () => spareLight(!spared()));

const camera = new PageCamera(screen.find("preview"), dataset.frames, { onEnd: () => cameraShown(false) });
const code = new CodeKeys(screen.find("code"), (digits) => answer("digits", { digits }));

function cameraShown(on) {
  screen.find("camera-pill").dataset.on = String(on);
  screen.find("oval").dataset.seen = String(on && camera.isOpen);
}

function stopCamera() {
  camera.close();
  cameraShown(false);
}

async function answer(action, values = {}) {
  screen.notice("");
  try {
    return await send(`/kiosk/${action}`, { sale: view.sale, ...values });
  } catch (refusal) {
    screen.notice(refusal.message);
    return null;
  }
}

/** Open the camera and begin: with a tap, with the wish to show a code, or with a code that was scanned. */
async function begin(action, values = {}) {
  if (dataset.camera === "page") {
    try {
      await camera.open();
    } catch {
      screen.notice(dataset.noCamera);
      return;
    }
    cameraShown(true);
  }
  const taken = await answer(action, { light: !spared(), ...values });
  if (!taken) stopCamera();
  else if (dataset.camera === "page" && taken.ticket) camera.start(taken.ticket);
}

/** Tell the terminal when a step was really on this screen; its judgement counts from there. */
function shown(number, atMs) {
  const values = { sale: view.sale, number, shown_ms: atMs, sent_ms: performance.now() };
  send("/kiosk/shown", values).catch(() => {});
}

function light(colours) {
  shining?.abort();
  shining = new AbortController();
  const { signal } = shining;
  shine(screen.find("light"), colours, { onShown: (at) => shown(colours.id, at), signal });
}

function draw(next) {
  const moved = next.phase !== view.phase || next.sale !== view.sale;
  const asked = next.light && next.light.id !== view.light?.id;
  view = next;
  dataset.phase = view.phase;
  for (const input of page.querySelectorAll("[data-sale]")) input.value = view.sale;
  for (const name of ["amount", "payee", "title", "text", "factor_label", "confirm_label"]) screen.text(name, view[name]);
  screen.show("bill", Boolean(view.amount) && view.phase !== "idle");
  for (const node of page.querySelectorAll('p[data-text="text"]')) node.hidden = !view.text || Boolean(view.hint);
  screen.show("simulated", view.simulated);
  screen.show("face-offered", view.face_offered);
  screen.show("code-offered", view.code_offered);
  screen.mood(view.mood);
  screen.progress(view.progress);
  screen.hint(view.hint, view.icon);
  camera.paused = view.phase === "factor";
  if (dataset.camera === "page") {
    if (!LOOKING.has(view.phase) && !(view.phase === "offered" && camera.isOpen)) stopCamera();
  } else cameraShown(LOOKING.has(view.phase));
  if (!view.light) shining?.abort();
  if (asked) light(view.light);
  noLight.hidden = !["idle", "offered"].includes(view.phase);
  if (moved && view.phase === "offered") spareLight(calmer.matches);
  if (moved) arrive();
}

/** A scanner types into the field and ends with Enter, as a paste does. */
async function scanned(form) {
  const field = form.querySelector("[data-scan-field]");
  const code = field.value;
  field.value = "";
  if (view.phase === "offered") await begin("code", { code });
  else await answer("code", { code });
}

// A keyboard scanner types wherever the focus is: its first letter leads it to the field.
addEventListener("keydown", (event) => {
  const wanted = view.code_offered && (view.phase === "offered" || view.phase === "code");
  if (wanted && event.key.length === 1 && event.target.tagName !== "INPUT") screen.find("scan-field").focus();
});

function arrive() {
  screen.notice("");
  screen.say([view.title, view.text].filter(Boolean).join(" "), { now: true });
  if (view.phase === "factor") code.ask();
  else screen.focusTitle();
}

for (const form of page.querySelectorAll("form[data-action]")) {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const { action } = form.dataset;
    const button = form.querySelector("button");
    button.disabled = true;
    if (action === "tap" || action === "show-code") await begin(action);
    else if (action === "code") await scanned(form);
    else {
      if (action !== "confirm") stopCamera();
      await answer(action);
    }
    button.disabled = false;
  });
}

if (view.phase === "factor") code.ask();
draw(view);
new Events({ events: dataset.events, state: dataset.state, onView: draw });
